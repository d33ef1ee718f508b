// Rows of versions that are no current object: superseded ones and delete markers. A key's newest version is its row in
// `objects`, or, where that is gone, the delete marker that nothing supersedes.
import type { Reader, Writer } from "../../../database/store.ts";
import type { ObjectVersionsTable } from "../../../database/tables/objects.ts";
import { discardBlob, objectOf, rowOf, saveObject, type StoredObject } from "../object/objects.ts";

export interface KeptVersion extends StoredObject {
  readonly isDeleteMarker: boolean;
  /** Undefined: a delete marker that is the newest version. */
  readonly supersededAt: Date | undefined;
}

export const keptVersionOf = (row: ObjectVersionsTable): KeptVersion => ({
  ...objectOf(row),
  isDeleteMarker: row.is_delete_marker === 1,
  supersededAt: row.superseded_at === null ? undefined : new Date(row.superseded_at),
});

const ofKey = (reader: Reader, bucket: string, key: string) =>
  reader.selectFrom("object_versions").selectAll().where("bucket", "=", bucket).where("key", "=", key);

export async function findKeptVersion(
  reader: Reader,
  bucket: string,
  key: string,
  versionId: string,
): Promise<KeptVersion | undefined> {
  const row = await ofKey(reader, bucket, key).where("version_id", "=", versionId).executeTakeFirst();
  return row && keptVersionOf(row);
}

/** Of those that are no current object. */
export async function newestKeptVersion(reader: Reader, bucket: string, key: string): Promise<KeptVersion | undefined> {
  const row = await ofKey(reader, bucket, key).orderBy("sequence", "desc").limit(1).executeTakeFirst();
  return row && keptVersionOf(row);
}

export async function findVersionOfUpload(
  reader: Reader,
  bucket: string,
  key: string,
  uploadId: string,
): Promise<KeptVersion | undefined> {
  const row = await ofKey(reader, bucket, key).where("upload_id", "=", uploadId).executeTakeFirst();
  return row && keptVersionOf(row);
}

/** Keeps what was current as a version. Its row in `objects` is the caller's to replace or delete. */
export async function keepSuperseded(tx: Writer, object: StoredObject, now: Date): Promise<void> {
  await tx
    .insertInto("object_versions")
    .values({ ...rowOf(object), is_delete_marker: 0, superseded_at: now.getTime() })
    .execute();
}

export type Marker = Pick<StoredObject, "bucket" | "key" | "versionId" | "sequence">;

export async function saveMarker(tx: Writer, marker: Marker, now: Date): Promise<void> {
  const empty = { blobId: "", sizeBytes: 0, eTag: "", modifiedAt: now, attributes: {}, tags: [] };
  await tx
    .insertInto("object_versions")
    .values({ ...rowOf({ ...marker, ...empty }), is_delete_marker: 1, superseded_at: null })
    .execute();
}

/** The delete marker that was the newest version is so no longer. */
export async function supersedeMarker(tx: Writer, { bucket, key, sequence }: Marker, now: Date): Promise<void> {
  await tx
    .updateTable("object_versions")
    .set({ superseded_at: now.getTime() })
    .where("bucket", "=", bucket)
    .where("key", "=", key)
    .where("sequence", "=", sequence)
    .execute();
}

export async function removeKeptVersion(tx: Writer, version: KeptVersion, now: Date): Promise<void> {
  await deleteRow(tx, version);
  if (!version.isDeleteMarker) await discardBlob(tx, version.blobId, now);
}

/** After the newest version was removed, the one before it takes its place. */
export async function promoteNewest(tx: Writer, bucket: string, key: string): Promise<void> {
  const newest = await newestKeptVersion(tx, bucket, key);
  if (!newest) return;
  if (newest.isDeleteMarker) {
    await tx
      .updateTable("object_versions")
      .set({ superseded_at: null })
      .where("bucket", "=", bucket)
      .where("key", "=", key)
      .where("sequence", "=", newest.sequence)
      .execute();
    return;
  }
  await deleteRow(tx, newest);
  await saveObject(tx, newest);
}

async function deleteRow(tx: Writer, { bucket, key, sequence }: KeptVersion): Promise<void> {
  await tx
    .deleteFrom("object_versions")
    .where("bucket", "=", bucket)
    .where("key", "=", key)
    .where("sequence", "=", sequence)
    .execute();
}
