// Rows of objects. What a row lets go of becomes garbage in the same transaction. How rows follow one another: versions/.
import { prepared, preparedChange } from "../../../database/prepared.ts";
import type { Reader, Writer } from "../../../database/store.ts";
import type { ObjectsTable } from "../../../database/tables/objects.ts";
import type { Tag } from "../../../models/generated/s3.ts";
import type { ObjectAccess } from "../access/list-grant.ts";
import type { StoredChecksum } from "../checksums/checksum.ts";
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
  /** "null" where the bucket keeps no versions. */
  readonly versionId: string;
  /** Of a key's versions the newest has the highest. */
  readonly sequence: number;
  /** Undefined: the owner of the bucket has everything, nobody else anything. */
  readonly access?: ObjectAccess | undefined;
}

/** An object before the bucket's versioning gave it its place. */
export type NewObject = Omit<StoredObject, "versionId" | "sequence">;

export const nullVersion = "null";

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
    versionId: row.version_id,
    sequence: row.sequence,
    access: row.access === null ? undefined : (JSON.parse(row.access) as ObjectAccess),
  };
}

const byKey = prepared<ObjectsTable>((reader) =>
  reader.selectFrom("objects").selectAll().where("bucket", "=", "").where("key", "=", ""),
);

export async function findObject(reader: Reader, bucket: string, key: string): Promise<StoredObject | undefined> {
  const [row] = await byKey(reader, [bucket, key]);
  return row && objectOf(row);
}

export function rowOf(object: StoredObject): ObjectsTable {
  return {
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
    version_id: object.versionId,
    sequence: object.sequence,
    access: object.access ? JSON.stringify(object.access) : null,
  };
}

const blankRow: ObjectsTable = {
  bucket: "",
  key: "",
  blob_id: "",
  size_bytes: 0,
  etag: "",
  modified_at: 0,
  attributes: "",
  tags: "",
  checksum: "",
  parts: "",
  upload_id: "",
  version_id: "",
  sequence: 0,
  access: "",
};

/** In the order in which the prepared statement has them. */
const columns = Object.keys(blankRow) as (keyof ObjectsTable)[];
const changedColumns = columns.filter((column) => column !== "bucket" && column !== "key");

const upsert = preparedChange((tx) =>
  tx
    .insertInto("objects")
    .values(blankRow)
    .onConflict((conflict) =>
      conflict
        .columns(["bucket", "key"])
        .doUpdateSet((eb) =>
          Object.fromEntries(changedColumns.map((column) => [column, eb.ref(`excluded.${column}`)])),
        ),
    ),
);

/** Writes the row in the place of whatever is there. */
export async function saveObject(tx: Writer, object: StoredObject): Promise<void> {
  const row = rowOf(object);
  await upsert(
    tx,
    columns.map((column) => row[column]),
  );
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
