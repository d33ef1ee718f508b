// Rows of objects. A row is switched in one transaction, and the blob it let go of becomes garbage in the same.
import type { Reader, Writer } from "../../../database/store.ts";
import type { ObjectsTable } from "../../../database/tables/objects.ts";
import type { Tag } from "../../../models/generated/s3.ts";
import type { StoredChecksum } from "../checksums/checksum.ts";
import { noSuchKey } from "../errors.ts";
import type { ObjectAttributes } from "./object-attributes.ts";

interface StoredPart {
  readonly number: number;
  readonly sizeBytes: number;
  readonly checksum?: StoredChecksum | undefined;
}

export interface StoredObject {
  readonly bucket: string;
  readonly key: string;
  readonly blobId: string;
  readonly sizeBytes: number;
  /** Without quotes. */
  readonly eTag: string;
  readonly modifiedAt: Date;
  readonly attributes: ObjectAttributes;
  readonly tags: readonly Tag[];
  readonly checksum?: StoredChecksum | undefined;
  /** Of an object that was uploaded in parts. */
  readonly parts?: readonly StoredPart[] | undefined;
  readonly uploadId?: string | undefined;
}

export function objectOf(row: ObjectsTable): StoredObject {
  return {
    bucket: row.bucket,
    key: row.key,
    blobId: row.blob_id,
    sizeBytes: row.size_bytes,
    eTag: row.etag,
    modifiedAt: new Date(row.modified_at),
    // Our own JSON, written by saveObject.
    attributes: JSON.parse(row.attributes) as ObjectAttributes,
    tags: JSON.parse(row.tags) as readonly Tag[],
    checksum: row.checksum === null ? undefined : (JSON.parse(row.checksum) as StoredChecksum),
    parts: row.parts === null ? undefined : (JSON.parse(row.parts) as readonly StoredPart[]),
    uploadId: row.upload_id ?? undefined,
  };
}

export async function findObject(reader: Reader, bucket: string, key: string): Promise<StoredObject | undefined> {
  const row = await reader
    .selectFrom("objects")
    .selectAll()
    .where("bucket", "=", bucket)
    .where("key", "=", key)
    .executeTakeFirst();
  return row && objectOf(row);
}

export async function requireObject(reader: Reader, bucket: string, key: string): Promise<StoredObject> {
  const object = await findObject(reader, bucket, key);
  if (!object) throw noSuchKey(key);
  return object;
}

/** Writes the row in place of `replaced`, which must be what the same transaction has found there. */
export async function saveObject(tx: Writer, object: StoredObject, replaced: StoredObject | undefined): Promise<void> {
  const row: ObjectsTable = {
    bucket: object.bucket,
    key: object.key,
    blob_id: object.blobId,
    size_bytes: object.sizeBytes,
    etag: object.eTag,
    modified_at: object.modifiedAt.getTime(),
    attributes: JSON.stringify(object.attributes),
    tags: JSON.stringify(object.tags),
    checksum: object.checksum ? JSON.stringify(object.checksum) : null,
    parts: object.parts ? JSON.stringify(object.parts) : null,
    upload_id: object.uploadId ?? null,
    version_id: "null",
    sequence: 0,
  };
  if (replaced) await discardBlob(tx, replaced.blobId, object.modifiedAt);
  const { bucket: _, key: __, ...changed } = row;
  await tx
    .insertInto("objects")
    .values(row)
    .onConflict((conflict) => conflict.columns(["bucket", "key"]).doUpdateSet(changed))
    .execute();
}

export async function deleteObjectRow(tx: Writer, { bucket, key, blobId }: StoredObject, now: Date): Promise<void> {
  await tx.deleteFrom("objects").where("bucket", "=", bucket).where("key", "=", key).execute();
  await discardBlob(tx, blobId, now);
}

/** Leaves the blob to the collector, which looks again whether something else needs it. */
export async function discardBlob(tx: Writer, blobId: string, now: Date): Promise<void> {
  const since = now.getTime();
  await tx
    .insertInto("object_garbage")
    .values({ blob_id: blobId, since })
    .onConflict((conflict) => conflict.column("blob_id").doUpdateSet({ since }))
    .execute();
}

export const quoted = (eTag: string): string => `"${eTag}"`;
