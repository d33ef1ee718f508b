import { requireBucket } from "../bucket/buckets.ts";
import { preconditionFailed } from "../errors.ts";
import { operation } from "../s3-context.ts";
import { discardUpload, requireUpload } from "./uploads.ts";

export const abortMultipartUpload = operation("AbortMultipartUpload", async (input, ctx) => {
  await ctx.store.write(async (tx) => {
    const bucket = await requireBucket(tx, ctx.account, input.Bucket, input.ExpectedBucketOwner);
    const upload = await requireUpload(tx, bucket.name, input.Key, input.UploadId);
    const asked = input.IfMatchInitiatedTime?.getTime();
    if (asked !== undefined && Math.floor(asked / 1000) !== Math.floor(upload.initiatedAt.getTime() / 1000)) {
      throw preconditionFailed("x-amz-if-match-initiated-time");
    }
    await discardUpload(tx, upload.id, ctx.clock.now());
  });
  return {};
});
