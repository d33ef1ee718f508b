// One page of a bucket's versions: current objects and the versions behind them, read from two tables and merged.
import type { Reader } from "../../../database/store.ts";
import { compareKeys, prefixEnd } from "../listing/key-order.ts";
import { commonPrefixOf, type KeyRange } from "../listing/list-keys.ts";
import { findObject, objectOf, type StoredObject } from "../object/objects.ts";
import { findKeptVersion, keptVersionOf } from "./version-rows.ts";

export interface ListedVersion {
  readonly object: StoredObject;
  readonly isDeleteMarker: boolean;
  readonly isLatest: boolean;
  /** Undefined: it is the newest. */
  readonly supersededAt: Date | undefined;
}

export interface VersionRange extends Omit<KeyRange, "after"> {
  /** With a version: only older versions of this key, and what follows it. Without: only what follows all of the key's. */
  readonly after: { readonly key: string; readonly versionId: string | undefined } | undefined;
}

export interface VersionPage {
  readonly versions: readonly ListedVersion[];
  readonly commonPrefixes: readonly string[];
  /** The last version or common prefix of the page, where more follows it. */
  readonly next: { readonly key: string; readonly versionId: string | undefined } | undefined;
}

type Item = { readonly version: ListedVersion } | { readonly commonPrefix: string };

/** Begins at the first version of `key` (or of the first key behind it) that is older than `below`. */
interface Position {
  readonly key: string;
  /** Undefined: with the newest. -1: behind the oldest. */
  readonly below: number | undefined;
}

const behindOldest = -1;
const batchRows = 250;

export async function listVersions(reader: Reader, range: VersionRange, limit: number): Promise<VersionPage> {
  const versions: ListedVersion[] = [];
  const commonPrefixes: string[] = [];
  let next: VersionPage["next"];
  if (limit === 0) return { versions, commonPrefixes, next };
  for await (const item of walk(reader, range)) {
    if (versions.length + commonPrefixes.length === limit) return { versions, commonPrefixes, next };
    if ("version" in item) {
      versions.push(item.version);
      next = { key: item.version.object.key, versionId: item.version.object.versionId };
    } else {
      commonPrefixes.push(item.commonPrefix);
      next = { key: item.commonPrefix, versionId: undefined };
    }
  }
  return { versions, commonPrefixes, next: undefined };
}

async function* walk(reader: Reader, range: VersionRange): AsyncGenerator<Item> {
  let position = await startOf(reader, range);
  while (position) {
    const rows = await versionsFrom(reader, range, position);
    let folded: string | undefined;
    for (const version of rows) {
      const { key } = version.object;
      if (folded !== undefined && key.startsWith(folded)) continue;
      folded = commonPrefixOf(key, range);
      yield folded === undefined ? { version } : { commonPrefix: folded };
    }
    const last = rows.at(-1)?.object;
    position = rows.length < batchRows || !last ? undefined : behind(last, folded);
  }
}

function behind({ key, sequence }: StoredObject, folded: string | undefined): Position | undefined {
  if (folded === undefined) return { key, below: sequence };
  const end = prefixEnd(folded);
  return end === undefined ? undefined : { key: end, below: undefined };
}

async function startOf(reader: Reader, range: VersionRange): Promise<Position | undefined> {
  const { bucket, prefix, after } = range;
  if (after === undefined || compareKeys(after.key, prefix) < 0) return { key: prefix, below: undefined };
  const folded = commonPrefixOf(after.key, range);
  if (folded !== undefined) {
    const end = prefixEnd(folded);
    return end === undefined ? undefined : { key: end, below: undefined };
  }
  if (after.versionId === undefined) return { key: after.key, below: behindOldest };
  const current = await findObject(reader, bucket, after.key);
  const marker =
    current?.versionId === after.versionId
      ? current
      : await findKeptVersion(reader, bucket, after.key, after.versionId);
  // One that was deleted since its page: rather say a version twice than leave one out.
  return { key: after.key, below: marker?.sequence };
}

/** In the order of keys, and of a key the newest first. */
async function versionsFrom(reader: Reader, range: VersionRange, position: Position): Promise<ListedVersion[]> {
  const current = await currentFrom(reader, range, position);
  const kept = await keptFrom(reader, range, position);
  const merged: ListedVersion[] = [];
  let at = 0;
  for (const object of current) {
    for (let next = kept[at]; next && compareKeys(next.object.key, object.key) < 0; next = kept[++at])
      merged.push(next);
    merged.push({ object, isDeleteMarker: false, isLatest: true, supersededAt: undefined });
  }
  return [...merged, ...kept.slice(at)].slice(0, batchRows);
}

async function currentFrom(reader: Reader, range: VersionRange, { key, below }: Position): Promise<StoredObject[]> {
  const end = prefixEnd(range.prefix);
  let query = reader
    .selectFrom("objects")
    .selectAll()
    .where("bucket", "=", range.bucket)
    // A key's object is its newest version, so nothing of the key is older than an older one.
    .where("key", below === undefined ? ">=" : ">", key);
  if (end !== undefined) query = query.where("key", "<", end);
  return (await query.orderBy("key").limit(batchRows).execute()).map(objectOf);
}

async function keptFrom(reader: Reader, range: VersionRange, { key, below }: Position): Promise<ListedVersion[]> {
  const end = prefixEnd(range.prefix);
  let query = reader
    .selectFrom("object_versions")
    .selectAll()
    .where("bucket", "=", range.bucket)
    .where("key", ">=", key);
  if (end !== undefined) query = query.where("key", "<", end);
  if (below !== undefined) query = query.where((eb) => eb.or([eb("key", ">", key), eb("sequence", "<", below)]));
  const rows = await query.orderBy("key").orderBy("sequence", "desc").limit(batchRows).execute();
  return rows.map((row) => {
    const { isDeleteMarker, supersededAt, ...object } = keptVersionOf(row);
    return { object, isDeleteMarker, isLatest: supersededAt === undefined, supersededAt };
  });
}
