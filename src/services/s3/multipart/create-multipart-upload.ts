import type { CreateMultipartUploadRequest } from "../../../models/generated/s3.ts";
import { newObjectAccess } from "../access/new-object-access.ts";
import { requireBucket } from "../bucket/buckets.ts";
import { checksumTypeFor, isAlgorithm } from "../checksums/checksum.ts";
import { invalidRequest, notImplemented } from "../errors.ts";
import { attributesFrom, checkKey, refuseUnkeptWishes } from "../object/object-attributes.ts";
import { operation } from "../s3-context.ts";
import { tagsFromHeader } from "../tagging/tags.ts";
import { newUploadId, saveUpload, type UploadChecksum } from "./uploads.ts";

export const createMultipartUpload = operation("CreateMultipartUpload", async (input, ctx) => {
  checkKey(input.Key);
  refuseUnkeptWishes(input);
  const now = ctx.clock.now();
  const upload = {
    id: newUploadId(now, ctx.random),
    bucket: input.Bucket,
    key: input.Key,
    initiatedAt: now,
    initiator: ctx.caller.arn,
    attributes: attributesFrom(input),
    tags: tagsFromHeader(input.Tagging),
    checksum: wantedChecksum(input),
  };
  await ctx.store.write(async (tx) => {
    const bucket = await requireBucket(tx, ctx.account, input.Bucket, input.ExpectedBucketOwner);
    const access = await newObjectAccess(tx, bucket, ctx.caller.account, input);
    await saveUpload(tx, { ...upload, access });
  });
  return {
    Bucket: input.Bucket,
    Key: input.Key,
    UploadId: upload.id,
    ChecksumAlgorithm: upload.checksum?.algorithm,
    ChecksumType: upload.checksum?.type,
  };
});

function wantedChecksum({ ChecksumAlgorithm, ChecksumType }: CreateMultipartUploadRequest): UploadChecksum | undefined {
  if (ChecksumAlgorithm === undefined) {
    if (ChecksumType === undefined) return undefined;
    throw invalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.");
  }
  if (!isAlgorithm(ChecksumAlgorithm)) throw notImplemented(`${ChecksumAlgorithm} checksums`);
  const type = checksumTypeFor(ChecksumAlgorithm, ChecksumType);
  if (type === undefined) {
    throw invalidRequest(
      `The ${ChecksumType ?? ""} checksum type cannot be used with the ${ChecksumAlgorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return { algorithm: ChecksumAlgorithm, type };
}
