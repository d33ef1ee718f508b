// Search: filters over what Describe shows, in the order of a column (pages of the table) or of any property (all of it, sorted).
import type { SortColumn } from "../../../database/resources.ts";
import type { SearchRecord, SearchRequest } from "../../../models/generated/sagemaker.ts";
import { validationError } from "../../../lib/aws-error.ts";
import type { Resource, ResourceDefinition, Tag } from "../../resource-definition.ts";
import type { Resources } from "../../resources.ts";
import { operation } from "../context.ts";
import { propertyValues } from "./property-path.ts";
import { matches, type Searchable } from "./search-expression.ts";
import { readSearchToken, searchToken, type SearchPosition } from "./search-token.ts";

interface Hit extends Searchable {
  readonly uid: string;
  /** Of each column that can sort. */
  readonly columns: Readonly<Record<SortColumn, string | number>>;
}

/** A kind that can be searched; its own types end here. */
export interface SearchedKind {
  /** As the request names it, e.g. "TrainingJob"; also the member of the record that holds it. */
  readonly resource: SearchRequest["Resource"] & keyof SearchRecord;
  readonly nameMember: string;
  readonly stateMember: string;
  page(resources: Resources, sortBy: SortColumn, descending: boolean, after?: SearchPosition): Promise<Hit[]>;
}

const pageSize = 200;

export function searchedKind<Spec, Intent, Status>(
  resource: SearchedKind["resource"],
  definition: ResourceDefinition<Spec, Intent, Status>,
  stateMember: string,
): SearchedKind {
  const hitOf = (found: Resource<Spec, Intent, Status>): Hit => ({
    uid: found.uid,
    described: definition.describe(found),
    tags: found.tags,
    columns: {
      name: found.name,
      created_at: found.createdAt.getTime(),
      modified_at: found.modifiedAt.getTime(),
      state: definition.stateOf(found.status, found.intent),
    },
  });
  return {
    resource,
    nameMember: definition.nameMember,
    stateMember,
    page: async (resources, sortBy, descending, after) =>
      (await resources.page(definition, { filter: {}, sortBy, descending, limit: pageSize, after })).map(hitOf),
  };
}

function columnOf(kind: SearchedKind, property: string): SortColumn | undefined {
  switch (property) {
    case "CreationTime":
      return "created_at";
    case "LastModifiedTime":
      return "modified_at";
    case kind.nameMember:
      return "name";
    case kind.stateMember:
      return "state";
    default:
      return undefined;
  }
}

async function* allHits(
  kind: SearchedKind,
  resources: Resources,
  sortBy: SortColumn,
  descending: boolean,
  start?: SearchPosition,
): AsyncGenerator<Hit> {
  let after = start;
  for (;;) {
    const hits = await kind.page(resources, sortBy, descending, after);
    yield* hits;
    const last = hits.at(-1);
    if (!last || hits.length < pageSize) return;
    after = { value: last.columns[sortBy], uid: last.uid };
  }
}

interface Found {
  readonly hit: Hit;
  readonly position: SearchPosition;
}

/** One more than asked for, to know whether there is a next page. */
async function inColumnOrder(
  kind: SearchedKind,
  resources: Resources,
  request: SearchRequest,
  column: SortColumn,
  wanted: number,
): Promise<Found[]> {
  const descending = request.SortOrder !== "Ascending";
  const found: Found[] = [];
  for await (const hit of allHits(kind, resources, column, descending, readSearchToken(request))) {
    if (!matches(hit, request.SearchExpression ?? {})) continue;
    found.push({ hit, position: { value: hit.columns[column], uid: hit.uid } });
    if (found.length === wanted) break;
  }
  return found;
}

/** Text that is a number (a hyperparameter) sorts as one. */
function sortValue(value: unknown): string | number {
  if (value instanceof Date) return value.getTime();
  const text = String(value);
  const number = Number(text);
  return text.trim() === "" || Number.isNaN(number) ? text : number;
}

const order = (a: SearchPosition, b: SearchPosition): number => {
  if (a.value === b.value) return a.uid === b.uid ? 0 : a.uid < b.uid ? -1 : 1;
  if (typeof a.value === typeof b.value) return a.value < b.value ? -1 : 1;
  return typeof a.value === "number" ? -1 : 1;
};

/** What lacks the property is left out, as AWS does. */
async function inPropertyOrder(
  kind: SearchedKind,
  resources: Resources,
  request: SearchRequest,
  property: string,
  wanted: number,
): Promise<Found[]> {
  const direction = request.SortOrder === "Ascending" ? 1 : -1;
  const after = readSearchToken(request);
  const found: Found[] = [];
  for await (const hit of allHits(kind, resources, "created_at", true)) {
    const [value] = propertyValues(hit.described, hit.tags, property);
    if (value === undefined || !matches(hit, request.SearchExpression ?? {})) continue;
    const position = { value: sortValue(value), uid: hit.uid };
    if (!after || direction * order(position, after) > 0) found.push({ hit, position });
  }
  return found.sort((a, b) => direction * order(a.position, b.position)).slice(0, wanted);
}

const recordOf = (kind: SearchedKind, described: object, tags: readonly Tag[]): SearchRecord => ({
  [kind.resource]: { ...described, ...(tags.length > 0 ? { Tags: tags } : {}) },
});

export const searchOperation = (kinds: readonly SearchedKind[]) =>
  operation("Search", async (request, ctx) => {
    const kind = kinds.find((known) => known.resource === request.Resource);
    if (!kind) throw validationError(`Search over ${request.Resource} is not implemented by Salvia yet.`);
    const limit = request.MaxResults ?? 10;
    const property = request.SortBy ?? "LastModifiedTime";
    const column = columnOf(kind, property);
    const found = column
      ? await inColumnOrder(kind, ctx.resources, request, column, limit + 1)
      : await inPropertyOrder(kind, ctx.resources, request, property, limit + 1);
    const shown = found.slice(0, limit);
    const last = shown.at(-1);
    return {
      Results: shown.map(({ hit }) => recordOf(kind, hit.described, hit.tags)),
      ...(last && found.length > limit ? { NextToken: searchToken(request, last.position) } : {}),
    };
  });
