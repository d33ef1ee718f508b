// The derived List operation: filters, sorting, and tokens that survive inserts (they name the last row seen, not a count).
import { createHash } from "node:crypto";
import type { ResourceFilter, SortColumn } from "../database/resources.ts";
import { validationError } from "../lib/aws-error.ts";
import type { Resource, ResourceDefinition } from "./resource-definition.ts";
import type { Resources } from "./resources.ts";

/** What the List operations of SageMaker have in common; each has some of these members. */
export interface ListInput {
  readonly NameContains?: string | undefined;
  readonly StatusEquals?: string | undefined;
  readonly CreationTimeAfter?: Date | undefined;
  readonly CreationTimeBefore?: Date | undefined;
  readonly LastModifiedTimeAfter?: Date | undefined;
  readonly LastModifiedTimeBefore?: Date | undefined;
  readonly SortBy?: string | undefined;
  readonly SortOrder?: string | undefined;
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

export interface ListDefaults {
  readonly sortBy: "Name" | "CreationTime" | "Status" | "LastModifiedTime";
  readonly sortOrder: "Ascending" | "Descending";
}

const columns: ReadonlyMap<string, SortColumn> = new Map([
  ["Name", "name"],
  ["CreationTime", "created_at"],
  ["LastModifiedTime", "modified_at"],
  ["Status", "state"],
]);

interface Token {
  readonly value: string | number;
  readonly uid: string;
  /** Of the query the token belongs to. */
  readonly query: string;
}

const queryHash = (kind: string, input: ListInput): string => {
  const { NextToken: _, MaxResults: __, ...query } = input;
  return createHash("sha256").update(kind).update(JSON.stringify(query)).digest("base64url").slice(0, 12);
};

const encode = (token: Token): string => Buffer.from(JSON.stringify(token)).toString("base64url");

function decode(text: string, query: string): Token {
  const invalid = validationError("Invalid NextToken: it is malformed, or belongs to a request with other parameters.");
  let token: unknown;
  try {
    token = JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    throw invalid;
  }
  if (typeof token !== "object" || token === null || !("value" in token) || !("uid" in token)) throw invalid;
  const { value, uid } = token;
  const isSound = (typeof value === "string" || typeof value === "number") && typeof uid === "string";
  if (!isSound || !("query" in token) || token.query !== query) throw invalid;
  return { value, uid, query };
}

const sortValue = (
  resource: Resource<unknown, unknown, unknown>,
  column: SortColumn,
  state: string,
): string | number => {
  switch (column) {
    case "name":
      return resource.name;
    case "created_at":
      return resource.createdAt.getTime();
    case "modified_at":
      return resource.modifiedAt.getTime();
    case "state":
      return state;
  }
};

const filterOf = (input: ListInput): ResourceFilter => ({
  nameContains: input.NameContains,
  state: input.StatusEquals,
  createdAfter: input.CreationTimeAfter,
  createdBefore: input.CreationTimeBefore,
  modifiedAfter: input.LastModifiedTimeAfter,
  modifiedBefore: input.LastModifiedTimeBefore,
});

export async function listResourcesOf<Spec, Intent, Status>(
  resources: Resources,
  definition: ResourceDefinition<Spec, Intent, Status>,
  input: ListInput,
  defaults: ListDefaults,
): Promise<{ summaries: object[]; NextToken?: string }> {
  const query = queryHash(definition.kind, input);
  const token = input.NextToken === undefined ? undefined : decode(input.NextToken, query);
  const sortBy = columns.get(input.SortBy ?? defaults.sortBy) ?? "created_at";
  const limit = input.MaxResults ?? 10;
  const found = await resources.page(definition, {
    filter: filterOf(input),
    sortBy,
    descending: (input.SortOrder ?? defaults.sortOrder) === "Descending",
    limit: limit + 1,
    after: token && { value: token.value, uid: token.uid },
  });
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  const summaries = shown.map((resource) => definition.summary(resource));
  if (found.length <= limit || !last) return { summaries };
  const state = definition.stateOf(last.status, last.intent);
  return { summaries, NextToken: encode({ value: sortValue(last, sortBy, state), uid: last.uid, query }) };
}
