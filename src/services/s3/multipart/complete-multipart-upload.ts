import type { CompleteMultipartUploadOutput, CompleteMultipartUploadRequest } from "../../../models/generated/s3.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import type { Writer } from "../../../database/store.ts";
import { BlobMissingError, StorageFullError, type BlobStorage } from "../../../storage/storage.ts";
import { requireBucket } from "../bucket/buckets.ts";
import { checksumMembers } from "../checksums/checksum.ts";
import { noSuchUpload, storageFull } from "../errors.ts";
import { checkWriteConditions } from "../object/conditions.ts";
import { findObject, quoted, type NewObject } from "../object/objects.ts";
import { placeObject, type PlacedObject } from "../object/place-object.ts";
import { findVersionOfUpload } from "../versions/version-rows.ts";
import { writtenVersion } from "../versions/version-id.ts";
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
  const object: NewObject = {
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
    access: upload.access,
  };
  try {
    const placed = await ctx.store.write((tx) => replaceUpload(tx, ctx, upload, parts, object, input));
    return answer(placed, ctx);
  } catch (error) {
    if (error instanceof AwsError && parts.length > 1) await ctx.storage.remove(blobId);
    // Two requests for the same upload: the one that came second answers as the first.
    if (error instanceof AwsError && error.code === "NoSuchUpload") return completedBefore(input, ctx);
    throw error;
  }
});

/** A client that lost the answer asks again, and is told the same. */
async function completedBefore(
  { Bucket, Key, UploadId }: CompleteMultipartUploadRequest,
  ctx: S3Context,
): Promise<CompleteMultipartUploadOutput> {
  const bucket = await requireBucket(ctx.store.read, ctx.account, Bucket);
  const current = await findObject(ctx.store.read, Bucket, Key);
  const isCurrent = current?.uploadId === UploadId;
  const object = isCurrent ? current : await findVersionOfUpload(ctx.store.read, Bucket, Key, UploadId);
  if (!object) throw noSuchUpload(UploadId);
  return answer({ bucket, object }, ctx);
}

function answer({ bucket, object }: PlacedObject, { http }: S3Context): CompleteMultipartUploadOutput {
  const path = object.key.split("/").map(encodeURIComponent).join("/");
  return {
    Location: `${http.isSecure ? "https" : "http"}://${http.host}/${object.bucket}/${path}`,
    Bucket: object.bucket,
    Key: object.key,
    ETag: quoted(object.eTag),
    ...checksumMembers(object.checksum),
    ...writtenVersion(bucket, object),
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
  ctx: S3Context,
  upload: Upload,
  parts: readonly UploadedPart[],
  object: NewObject,
  conditions: CompleteMultipartUploadRequest,
): Promise<PlacedObject> {
  await requireUpload(tx, upload.bucket, upload.key, upload.id);
  const current = new Set((await partsOf(tx, upload.id)).map((part) => part.blobId));
  if (!parts.every((part) => current.has(part.blobId))) {
    throw new AwsError("InvalidPart", "A part was uploaded again while the upload was completed.");
  }
  const placed = await placeObject(tx, ctx, object, conditions);
  await discardUpload(tx, upload.id, object.modifiedAt);
  return placed;
}
