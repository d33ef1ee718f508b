// Rows of the `resources` table: every kind of resource, its request, intent, status and tags.
import { sql, type Expression, type RawBuilder, type SqlBool } from "kysely";
import { prepared, preparedChange } from "./prepared.ts";
import type { Reader, Writer } from "./store.ts";
import type { ResourcesTable } from "./tables/core.ts";

export interface Scope {
  readonly account: string;
  readonly region: string;
}

export type ResourceRow = ResourcesTable;

export class ResourceExistsError extends Error {}

export type SortColumn = "name" | "created_at" | "modified_at" | "state";

export interface ResourceFilter {
  readonly nameContains?: string | undefined;
  readonly state?: string | undefined;
  readonly createdAfter?: Date | undefined;
  readonly createdBefore?: Date | undefined;
  readonly modifiedAfter?: Date | undefined;
  readonly modifiedBefore?: Date | undefined;
}

export interface ResourcePage {
  readonly filter: ResourceFilter;
  readonly sortBy: SortColumn;
  readonly descending: boolean;
  readonly limit: number;
  /** The sort value and uid of the last row of the page before. */
  readonly after?: { readonly value: string | number; readonly uid: string } | undefined;
}

const blankRow: ResourceRow = {
  uid: "",
  kind: "",
  account: "",
  region: "",
  name: "",
  spec: "",
  intent: "",
  status: "",
  tags: "",
  state: "",
  created_at: 0,
  modified_at: 0,
  generation: 0,
  wake_at: 0,
  lease_token: "",
  lease_until: 0,
  failures: 0,
};

/** In the order in which the prepared statement has them. */
const columns = Object.keys(blankRow) as (keyof ResourceRow)[];

const insertion = preparedChange((tx) =>
  tx
    .insertInto("resources")
    .values(blankRow)
    .onConflict((conflict) => conflict.columns(["kind", "account", "region", "name"]).doNothing()),
);

export async function insertResource(tx: Writer, row: ResourceRow): Promise<void> {
  const changedRows = await insertion(
    tx,
    columns.map((column) => row[column]),
  );
  if (changedRows !== 1n) throw new ResourceExistsError(row.name);
}

const byName = prepared<ResourceRow>((reader) =>
  reader
    .selectFrom("resources")
    .selectAll()
    .where("kind", "=", "")
    .where("account", "=", "")
    .where("region", "=", "")
    .where("name", "=", ""),
);

export async function findResource(
  reader: Reader,
  kind: string,
  { account, region }: Scope,
  name: string,
): Promise<ResourceRow | undefined> {
  return (await byName(reader, [kind, account, region, name]))[0];
}

export async function findResourceByUid(reader: Reader, uid: string): Promise<ResourceRow | undefined> {
  return reader.selectFrom("resources").selectAll().where("uid", "=", uid).executeTakeFirst();
}

export interface ResourceChange {
  readonly spec?: string;
  readonly intent?: string;
  readonly tags?: string;
  readonly now: number;
  /** Wakes the kind's reconciler. */
  readonly wake?: boolean;
}

/** A request changes what is wanted; false when the resource is gone. */
export async function changeResource(tx: Writer, uid: string, change: ResourceChange): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable("resources")
    .set((eb) => ({
      ...(change.spec === undefined ? {} : { spec: change.spec }),
      ...(change.intent === undefined ? {} : { intent: change.intent }),
      ...(change.tags === undefined ? {} : { tags: change.tags }),
      ...(change.wake ? { wake_at: change.now } : {}),
      modified_at: change.now,
      generation: eb("generation", "+", 1),
    }))
    .where("uid", "=", uid)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Something that the reconciler watches has changed (a report came in, its instances changed hands). */
export async function wakeResource(tx: Writer, uid: string, now: number): Promise<void> {
  await tx
    .updateTable("resources")
    .set((eb) => ({ wake_at: now, generation: eb("generation", "+", 1) }))
    .where("uid", "=", uid)
    .execute();
}

export async function deleteResource(tx: Writer, uid: string): Promise<boolean> {
  const { numDeletedRows } = await tx.deleteFrom("resources").where("uid", "=", uid).executeTakeFirst();
  return numDeletedRows === 1n;
}

export async function listResources(
  reader: Reader,
  kind: string,
  scope: Scope,
  page: ResourcePage,
): Promise<ResourceRow[]> {
  const { filter, sortBy, descending, after } = page;
  const direction = descending ? "desc" : "asc";
  const key = sortKey(sortBy, filter);
  let query = reader
    .selectFrom("resources")
    .select("uid")
    .where("kind", "=", kind)
    .where("account", "=", scope.account)
    .where("region", "=", scope.region);
  if (filter.state !== undefined) query = query.where("state", "=", filter.state);
  if (filter.nameContains !== undefined) query = query.where(contains(filter.nameContains));
  if (filter.createdAfter) query = query.where("created_at", ">=", filter.createdAfter.getTime());
  if (filter.createdBefore) query = query.where("created_at", "<=", filter.createdBefore.getTime());
  // An expression, so that no other index than the list's is taken for it.
  if (filter.modifiedAfter) query = query.where(sql<SqlBool>`modified_at + 0 >= ${filter.modifiedAfter.getTime()}`);
  if (filter.modifiedBefore) query = query.where(sql<SqlBool>`modified_at + 0 <= ${filter.modifiedBefore.getTime()}`);
  if (after) {
    const than = descending ? sql.raw("<") : sql.raw(">");
    query = query.where(sql<SqlBool>`(${key}, uid) ${than} (${after.value}, ${after.uid})`);
  }
  const ofPage = query.orderBy(key, direction).orderBy("uid", direction).limit(page.limit);
  return reader
    .selectFrom("resources")
    .selectAll()
    .where("uid", "in", ofPage)
    .orderBy(sortBy, direction)
    .orderBy("uid", direction)
    .execute();
}

/**
 * What is sorted by. An index in this order is the fastest where the filter needs nothing besides; otherwise the expression keeps
 * the database off it, and it goes through the list's index (migrations/0010-listing.ts), which has all that a filter needs.
 */
function sortKey(sortBy: SortColumn, filter: ResourceFilter): RawBuilder<string | number> {
  const { nameContains: _, ...others } = filter;
  const isPlain = Object.values(others).every((value) => value === undefined);
  switch (sortBy) {
    case "created_at":
      return sql`created_at`;
    case "name":
      return isPlain ? sql`name` : sql`name || ''`;
    case "modified_at":
      return isPlain && filter.nameContains === undefined ? sql`modified_at` : sql`modified_at + 0`;
    case "state":
      return sql`state || ''`;
  }
}

/** AWS matches names regardless of case. */
function contains(text: string): Expression<SqlBool> {
  const pattern = `%${text.toLowerCase().replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
  return sql<SqlBool>`lower(name) like ${pattern} escape '\\'`;
}
