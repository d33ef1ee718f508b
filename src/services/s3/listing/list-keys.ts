// One page of a bucket's keys: a walk over the index that jumps over whatever a delimiter folds into one prefix.
import type { Reader } from "../../../database/store.ts";
import type { ObjectsTable } from "../../../database/tables/objects.ts";
import { objectOf, type StoredObject } from "../object/objects.ts";
import { compareKeys, prefixEnd } from "./key-order.ts";

export interface KeyRange {
  readonly bucket: string;
  readonly prefix: string;
  /** "" folds nothing. */
  readonly delimiter: string;
  /** Only keys and common prefixes above this one. */
  readonly after: string | undefined;
}

export interface ListPage {
  readonly objects: readonly StoredObject[];
  readonly commonPrefixes: readonly string[];
  /** The last key or common prefix of the page, where more follows it. */
  readonly nextAfter: string | undefined;
}

type Item = { readonly object: StoredObject } | { readonly commonPrefix: string };

interface Position {
  readonly key: string;
  /** Begin at the key itself, not behind it. */
  readonly isInclusive: boolean;
}

/** Rows read at first where a jump may make most of them useless. */
const cautiousBatch = 16;
const largestBatch = 1001;

export async function listKeys(reader: Reader, range: KeyRange, limit: number): Promise<ListPage> {
  const objects: StoredObject[] = [];
  const commonPrefixes: string[] = [];
  let last: string | undefined;
  if (limit === 0) return { objects, commonPrefixes, nextAfter: undefined };
  for await (const item of walk(reader, range, Math.min(limit + 1, largestBatch))) {
    if (objects.length + commonPrefixes.length === limit) return { objects, commonPrefixes, nextAfter: last };
    if ("object" in item) objects.push(item.object);
    else commonPrefixes.push(item.commonPrefix);
    last = "object" in item ? item.object.key : item.commonPrefix;
  }
  return { objects, commonPrefixes, nextAfter: undefined };
}

/** Keys and common prefixes in their order; a common prefix once, in the place of its first key. */
async function* walk(reader: Reader, range: KeyRange, wantedRows: number): AsyncGenerator<Item> {
  const { delimiter, after } = range;
  let batch = delimiter === "" ? wantedRows : Math.min(cautiousBatch, wantedRows);
  let position = startOf(range);
  while (position) {
    const rows = await rowsFrom(reader, range, position, batch);
    let folded: string | undefined;
    for (const row of rows) {
      if (folded !== undefined && row.key.startsWith(folded)) continue;
      folded = commonPrefixOf(row.key, range);
      if (folded === undefined) yield { object: objectOf(row) };
      else if (after === undefined || compareKeys(folded, after) > 0) yield { commonPrefix: folded };
    }
    position = rows.length < batch ? undefined : behind(rows.at(-1)?.key, folded);
    batch = folded === undefined ? Math.min(batch * 4, largestBatch) : Math.min(cautiousBatch, wantedRows);
  }
}

function startOf(range: KeyRange): Position | undefined {
  const { prefix, after } = range;
  if (after === undefined || compareKeys(after, prefix) < 0) return { key: prefix, isInclusive: true };
  // Everything that folds into the same prefix as `after` was answered with it.
  return behind(after, commonPrefixOf(after, range));
}

function behind(key: string | undefined, folded: string | undefined): Position | undefined {
  if (folded === undefined) return key === undefined ? undefined : { key, isInclusive: false };
  const end = prefixEnd(folded);
  return end === undefined ? undefined : { key: end, isInclusive: true };
}

/** What the key folds into: all up to the first delimiter behind the prefix. */
export function commonPrefixOf(
  key: string,
  { prefix, delimiter }: Pick<KeyRange, "prefix" | "delimiter">,
): string | undefined {
  if (delimiter === "" || !key.startsWith(prefix)) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.slice(0, at + delimiter.length);
}

function rowsFrom(reader: Reader, range: KeyRange, position: Position, limit: number): Promise<ObjectsTable[]> {
  const end = prefixEnd(range.prefix);
  let query = reader
    .selectFrom("objects")
    .selectAll()
    .where("bucket", "=", range.bucket)
    .where("key", position.isInclusive ? ">=" : ">", position.key);
  if (end !== undefined) query = query.where("key", "<", end);
  return query.orderBy("key").limit(limit).execute();
}
