// Tags of log groups: by ARN, and by name as the older operations have it.
import { AwsError } from "../../lib/aws-error.ts";
import type { Writer } from "../../database/store.ts";
import { operation } from "./context.ts";
import { invalidParameter } from "./errors.ts";
import { requireGroup, requireGroupByArn, type LogGroupRow } from "./groups.ts";

const maxTags = 50;

type Tags = Readonly<Record<string, string>>;

// Written by us alone.
const tagsOf = (stored: string): Tags => JSON.parse(stored) as Tags;

/** The stored tags with these added. Throws what AWS says to reserved keys and to more than 50. */
export function withTags(stored: string, added: Tags): string {
  if (Object.keys(added).some((key) => key.toLowerCase().startsWith("aws:")))
    throw invalidParameter("Tag keys cannot start with aws:.");
  const tags = { ...tagsOf(stored), ...added };
  if (Object.keys(tags).length > maxTags)
    throw new AwsError("TooManyTagsException", `A resource can have no more than ${maxTags} tags.`);
  return JSON.stringify(tags);
}

const withoutTags = (stored: string, keys: readonly string[]): string =>
  JSON.stringify(Object.fromEntries(Object.entries(tagsOf(stored)).filter(([key]) => !keys.includes(key))));

const save = (tx: Writer, group: LogGroupRow, tags: string): Promise<unknown> =>
  tx.updateTable("log_groups").set({ tags }).where("id", "=", group.id).execute();

const tagResource = operation("TagResource", async (input, ctx) => {
  await ctx.store.write(async (tx) => {
    const group = await requireGroupByArn(tx, ctx, input.resourceArn);
    await save(tx, group, withTags(group.tags, input.tags));
  });
});

const untagResource = operation("UntagResource", async (input, ctx) => {
  await ctx.store.write(async (tx) => {
    const group = await requireGroupByArn(tx, ctx, input.resourceArn);
    await save(tx, group, withoutTags(group.tags, input.tagKeys));
  });
});

const listTagsForResource = operation("ListTagsForResource", async (input, ctx) => {
  const group = await requireGroupByArn(ctx.store.read, ctx, input.resourceArn);
  return { tags: tagsOf(group.tags) };
});

const tagLogGroup = operation("TagLogGroup", async (input, ctx) => {
  await ctx.store.write(async (tx) => {
    const group = await requireGroup(tx, ctx, input.logGroupName);
    await save(tx, group, withTags(group.tags, input.tags));
  });
});

const untagLogGroup = operation("UntagLogGroup", async (input, ctx) => {
  await ctx.store.write(async (tx) => {
    const group = await requireGroup(tx, ctx, input.logGroupName);
    await save(tx, group, withoutTags(group.tags, input.tags));
  });
});

const listTagsLogGroup = operation("ListTagsLogGroup", async (input, ctx) => {
  const group = await requireGroup(ctx.store.read, ctx, input.logGroupName);
  return { tags: tagsOf(group.tags) };
});

export const tagOperations = [
  tagResource,
  untagResource,
  listTagsForResource,
  tagLogGroup,
  untagLogGroup,
  listTagsLogGroup,
];
