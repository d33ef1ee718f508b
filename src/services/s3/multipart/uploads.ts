// Rows of uploads in parts that nobody has completed yet.
import type { Reader, Writer } from "../../../database/store.ts";
import type { UploadPartsTable, UploadsTable } from "../../../database/tables/objects.ts";
import type { ChecksumType, Tag } from "../../../models/generated/s3.ts";
import type { Random } from "../../../lib/random.ts";
import type { ObjectAccess } from "../access/list-grant.ts";
import { ownerOf } from "../bucket/buckets.ts";
import { isAlgorithm, type Algorithm, type StoredChecksum } from "../checksums/checksum.ts";
import { invalidArgument, noSuchUpload } from "../errors.ts";
import type { ObjectAttributes } from "../object/object-attributes.ts";
import { discardBlob } from "../object/objects.ts";

export interface Upload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly initiatedAt: Date;
  readonly initiator: string;
  readonly attributes: ObjectAttributes;
  readonly tags: readonly Tag[];
  /** Of the whole object; undefined: none was asked for. */
  readonly checksum: UploadChecksum | undefined;
  /** Of the object that it will be. */
  readonly access?: ObjectAccess | undefined;
}

export interface UploadChecksum {
  readonly algorithm: Algorithm;
  readonly type: ChecksumType;
}

export interface UploadedPart {
  readonly number: number;
  readonly blobId: string;
  readonly sizeBytes: number;
  readonly eTag: string;
  readonly modifiedAt: Date;
  readonly checksum: StoredChecksum | undefined;
}

const maxPartNumber = 10_000;

/** Sorted by their time, so that a key's uploads are listed in the order they began. */
export const newUploadId = (now: Date, random: Random): string =>
  `${now.getTime().toString(16).padStart(12, "0")}${random.bytes(18).toString("hex")}`;

export function checkPartNumber(number: number): void {
  if (Number.isInteger(number) && number >= 1 && number <= maxPartNumber) return;
  throw invalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", String(number));
}

export async function saveUpload(tx: Writer, upload: Upload): Promise<void> {
  await tx
    .insertInto("uploads")
    .values({
      id: upload.id,
      bucket: upload.bucket,
      key: upload.key,
      initiated_at: upload.initiatedAt.getTime(),
      initiator: upload.initiator,
      attributes: JSON.stringify(upload.attributes),
      tags: JSON.stringify(upload.tags),
      checksum_algorithm: upload.checksum?.algorithm ?? null,
      checksum_type: upload.checksum?.type ?? null,
      access: upload.access ? JSON.stringify(upload.access) : null,
    })
    .execute();
}

export async function findUpload(reader: Reader, bucket: string, key: string, id: string): Promise<Upload | undefined> {
  const row = await reader.selectFrom("uploads").selectAll().where("id", "=", id).executeTakeFirst();
  return row && row.bucket === bucket && row.key === key ? uploadOf(row) : undefined;
}

export async function requireUpload(reader: Reader, bucket: string, key: string, id: string): Promise<Upload> {
  const upload = await findUpload(reader, bucket, key, id);
  if (!upload) throw noSuchUpload(id);
  return upload;
}

export function uploadOf(row: UploadsTable): Upload {
  const { checksum_algorithm: algorithm, checksum_type: type } = row;
  return {
    id: row.id,
    bucket: row.bucket,
    key: row.key,
    initiatedAt: new Date(row.initiated_at),
    initiator: row.initiator,
    // Our own JSON, written by saveUpload.
    attributes: JSON.parse(row.attributes) as ObjectAttributes,
    tags: JSON.parse(row.tags) as readonly Tag[],
    checksum:
      algorithm !== null && isAlgorithm(algorithm)
        ? { algorithm, type: type === "FULL_OBJECT" ? "FULL_OBJECT" : "COMPOSITE" }
        : undefined,
    access: row.access === null ? undefined : (JSON.parse(row.access) as ObjectAccess),
  };
}

/** Users and sessions are named by their ARN, an account as owners are. */
export function initiatorOf({ initiator }: Upload): { readonly ID: string; readonly DisplayName: string } {
  const account = /^arn:aws:iam::(\d{12}):root$/.exec(initiator)?.[1];
  return account === undefined ? { ID: initiator, DisplayName: initiator } : ownerOf({ account });
}

/** Takes the place of an earlier part of the same number. */
export async function savePart(tx: Writer, uploadId: string, part: UploadedPart): Promise<void> {
  const replaced = await tx
    .selectFrom("upload_parts")
    .select("blob_id")
    .where("upload_id", "=", uploadId)
    .where("number", "=", part.number)
    .executeTakeFirst();
  if (replaced) await discardBlob(tx, replaced.blob_id, part.modifiedAt);
  const changed = {
    blob_id: part.blobId,
    size_bytes: part.sizeBytes,
    etag: part.eTag,
    modified_at: part.modifiedAt.getTime(),
    checksum: part.checksum ? JSON.stringify(part.checksum) : null,
  };
  await tx
    .insertInto("upload_parts")
    .values({ upload_id: uploadId, number: part.number, ...changed })
    .onConflict((conflict) => conflict.columns(["upload_id", "number"]).doUpdateSet(changed))
    .execute();
}

/** In the order of their numbers. */
export async function partsOf(
  reader: Reader,
  uploadId: string,
  after = 0,
  limit = maxPartNumber,
): Promise<UploadedPart[]> {
  const rows = await reader
    .selectFrom("upload_parts")
    .selectAll()
    .where("upload_id", "=", uploadId)
    .where("number", ">", after)
    .orderBy("number")
    .limit(limit)
    .execute();
  return rows.map(partOf);
}

const partOf = (row: UploadPartsTable): UploadedPart => ({
  number: row.number,
  blobId: row.blob_id,
  sizeBytes: row.size_bytes,
  eTag: row.etag,
  modifiedAt: new Date(row.modified_at),
  checksum: row.checksum === null ? undefined : (JSON.parse(row.checksum) as StoredChecksum),
});

/** The upload and its parts are no more; their blobs are garbage unless an object has them. */
export async function discardUpload(tx: Writer, uploadId: string, now: Date): Promise<void> {
  const parts = await tx.selectFrom("upload_parts").select("blob_id").where("upload_id", "=", uploadId).execute();
  for (const part of parts) await discardBlob(tx, part.blob_id, now);
  await tx.deleteFrom("upload_parts").where("upload_id", "=", uploadId).execute();
  await tx.deleteFrom("uploads").where("id", "=", uploadId).execute();
}
