import { requireBucket } from "../bucket/buckets.ts";
import { partChecksumMembers } from "../checksums/checksum.ts";
import { refuseCustomerKey } from "../object/describe-object.ts";
import { quoted } from "../object/objects.ts";
import { receiveBody } from "../object/receive-body.ts";
import { operation } from "../s3-context.ts";
import { keepPart } from "./keep-part.ts";
import { checkPartNumber, requireUpload } from "./uploads.ts";

export const uploadPart = operation("UploadPart", async (input, ctx) => {
  refuseCustomerKey(input.SSECustomerAlgorithm);
  checkPartNumber(input.PartNumber);
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  const upload = await requireUpload(ctx.store.read, bucket.name, input.Key, input.UploadId);
  const received = await receiveBody(input, ctx, upload.checksum?.algorithm);
  await keepPart(ctx, upload, input.PartNumber, received);
  return { ETag: quoted(received.eTag), ...partChecksumMembers(received.checksum) };
});
