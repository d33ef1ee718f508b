// AddTags, ListTags and DeleteTags on every kind, by ARN.
import { AwsError, validationError } from "../../../lib/aws-error.ts";
import type { Resource, ResourceDefinition, Tag } from "../../resource-definition.ts";
import type { Change, Resources } from "../../resources.ts";
import { operation, type SagemakerContext } from "../context.ts";
import { parseArn } from "./arn.ts";
import { checkNewTags, checkTagCount } from "./tag-rules.ts";

type Taggable = Pick<Resource<unknown, unknown, unknown>, "tags">;

/** One kind's resources as far as tags go; the kinds' own types end here. */
export interface TaggedKind {
  readonly kind: string;
  tagsOf(resources: Resources, name: string): Promise<readonly Tag[]>;
  change(resources: Resources, name: string, decide: (resource: Taggable) => Change<never, never>): Promise<void>;
}

export const taggedKind = <Spec, Intent, Status>(definition: ResourceDefinition<Spec, Intent, Status>): TaggedKind => ({
  kind: definition.kind,
  tagsOf: async (resources, name) => (await resources.get(definition, name)).tags,
  change: async (resources, name, decide) => {
    await resources.change(definition, name, decide);
  },
});

function locate(kinds: readonly TaggedKind[], ctx: SagemakerContext, arn: string): { kind: TaggedKind; name: string } {
  const parsed = parseArn(arn);
  if (!parsed) throw validationError(`"${arn}" is not the ARN of a SageMaker resource.`);
  if (parsed.account !== ctx.account || parsed.region !== ctx.region)
    throw new AwsError(
      "AccessDeniedException",
      `The resource ${arn} belongs to another account or region than this request (${ctx.account}, ${ctx.region}).`,
    );
  const kind = kinds.find((known) => known.kind === parsed.kind);
  if (!kind) throw validationError(`Tags of ${parsed.kind} are not implemented by Salvia yet.`);
  return { kind, name: parsed.name };
}

const defaultPageSize = 50;

const encode = (lastKey: string): string => Buffer.from(JSON.stringify([lastKey])).toString("base64url");

function decode(token: string): string {
  try {
    const [key] = JSON.parse(Buffer.from(token, "base64url").toString()) as [unknown];
    if (typeof key === "string") return key;
  } catch {
    // Told below.
  }
  throw validationError("Invalid NextToken.");
}

/** Tags are listed by key, so that a token survives changes between two pages. */
function page(tags: readonly Tag[], maxResults = defaultPageSize, token?: string): { Tags: Tag[]; NextToken?: string } {
  const after = token === undefined ? undefined : decode(token);
  const rest = [...tags]
    .sort((a, b) => (a.Key < b.Key ? -1 : 1))
    .filter((tag) => after === undefined || tag.Key > after);
  const shown = rest.slice(0, maxResults);
  const last = shown.at(-1);
  return { Tags: shown, ...(last && rest.length > shown.length ? { NextToken: encode(last.Key) } : {}) };
}

export const tagOperations = (kinds: readonly TaggedKind[]) => [
  operation("AddTags", async ({ ResourceArn, Tags }, ctx) => {
    checkNewTags(Tags);
    const { kind, name } = locate(kinds, ctx, ResourceArn);
    let all: readonly Tag[] = [];
    await kind.change(ctx.resources, name, ({ tags }) => {
      const replaced = new Set(Tags.map((tag) => tag.Key));
      all = [...tags.filter((tag) => !replaced.has(tag.Key)), ...Tags];
      checkTagCount(all);
      return { tags: all };
    });
    return { Tags: all };
  }),
  operation("ListTags", async ({ ResourceArn, MaxResults, NextToken }, ctx) => {
    const { kind, name } = locate(kinds, ctx, ResourceArn);
    return page(await kind.tagsOf(ctx.resources, name), MaxResults, NextToken);
  }),
  operation("DeleteTags", async ({ ResourceArn, TagKeys }, ctx) => {
    const { kind, name } = locate(kinds, ctx, ResourceArn);
    const gone = new Set(TagKeys);
    await kind.change(ctx.resources, name, ({ tags }) => ({ tags: tags.filter((tag) => !gone.has(tag.Key)) }));
    return {};
  }),
];
