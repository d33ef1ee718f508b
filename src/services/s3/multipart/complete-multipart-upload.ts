import type { CompleteMultipartUploadOutput, CompleteMultipartUploadRequest } from "../../../models/generated/s3.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import type { Writer } from "../../../database/store.ts";
import { BlobMissingError, StorageFullError, type BlobStorage } from "../../../storage/storage.ts";
import { requireBucket } from "../bucket/buckets.ts";
import { checksumMembers } from "../checksums/checksum.ts";
import { noSuchUpload, storageFull } from "../errors.ts";
import { checkWriteConditions } from "../object/conditions.ts";
import { findObject, quoted, saveObject, type StoredObject } from "../object/objects.ts";
import { operation, type S3Context } from "../s3-context.ts";
import { checkWhole, chosenParts, combinedChecksum, combinedETag } from "./chosen-parts.ts";
import { discardUpload, findUpload, partsOf, requireUpload, type Upload, type UploadedPart } from "./uploads.ts";

export const completeMultipartUpload = operation("CompleteMultipartUpload", async (input, ctx) => {
  await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  const upload = await findUpload(ctx.store.read, input.Bucket, input.Key, input.UploadId);
  if (!upload) return completedBefore(input, ctx);
  const parts = chosenParts(input.MultipartUpload?.Parts, await partsOf(ctx.store.read, upload.id));
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  const checksum = combinedChecksum(upload, parts);
  checkWhole(input, checksum, sizeBytes);
  checkWriteConditions(await findObject(ctx.store.read, upload.bucket, upload.key), upload.key, input);

  const blobId = await joined(ctx.storage, parts, upload.id);
  const object: StoredObject = {
    bucket: upload.bucket,
    key: upload.key,
    blobId,
    sizeBytes,
    eTag: combinedETag(parts),
    modifiedAt: ctx.clock.now(),
    attributes: upload.attributes,
    tags: upload.tags,
    checksum,
    parts: parts.map((part, at) => ({ number: at + 1, sizeBytes: part.sizeBytes, checksum: part.checksum })),
    uploadId: upload.id,
  };
  try {
    await ctx.store.write((tx) => replaceUpload(tx, ctx.account, upload, parts, object, input));
  } catch (error) {
    if (error instanceof AwsError && parts.length > 1) await ctx.storage.remove(blobId);
    // Two requests for the same upload: the one that came second answers as the first.
    if (error instanceof AwsError && error.code === "NoSuchUpload") return completedBefore(input, ctx);
    throw error;
  }
  return answer(object, ctx);
});

/** A client that lost the answer asks again, and is told the same. */
async function completedBefore(
  { Bucket, Key, UploadId }: CompleteMultipartUploadRequest,
  ctx: S3Context,
): Promise<CompleteMultipartUploadOutput> {
  const object = await findObject(ctx.store.read, Bucket, Key);
  if (object?.uploadId !== UploadId) throw noSuchUpload(UploadId);
  return answer(object, ctx);
}

function answer(object: StoredObject, { http }: S3Context): CompleteMultipartUploadOutput {
  const path = object.key.split("/").map(encodeURIComponent).join("/");
  return {
    Location: `${http.isSecure ? "https" : "http"}://${http.host}/${object.bucket}/${path}`,
    Bucket: object.bucket,
    Key: object.key,
    ETag: quoted(object.eTag),
    ...checksumMembers(object.checksum),
  };
}

async function joined(
  storage: BlobStorage,
  parts: readonly [UploadedPart, ...UploadedPart[]],
  uploadId: string,
): Promise<string> {
  if (parts.length === 1) return parts[0].blobId;
  try {
    return (await storage.join(parts.map((part) => part.blobId))).id;
  } catch (error) {
    if (error instanceof StorageFullError) throw storageFull();
    // Aborted while its parts were joined.
    if (error instanceof BlobMissingError) throw noSuchUpload(uploadId);
    throw error;
  }
}

/** In one transaction: the object is there and the upload is gone. */
async function replaceUpload(
  tx: Writer,
  account: string,
  upload: Upload,
  parts: readonly UploadedPart[],
  object: StoredObject,
  conditions: CompleteMultipartUploadRequest,
): Promise<void> {
  await requireBucket(tx, account, object.bucket);
  await requireUpload(tx, upload.bucket, upload.key, upload.id);
  const current = new Set((await partsOf(tx, upload.id)).map((part) => part.blobId));
  if (!parts.every((part) => current.has(part.blobId))) {
    throw new AwsError("InvalidPart", "A part was uploaded again while the upload was completed.");
  }
  const existing = await findObject(tx, object.bucket, object.key);
  checkWriteConditions(existing, object.key, conditions);
  await saveObject(tx, object, existing);
  await discardUpload(tx, upload.id, object.modifiedAt);
}
