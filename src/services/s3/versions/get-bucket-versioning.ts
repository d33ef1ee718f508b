import { requireBucket } from "../bucket/buckets.ts";
import { operation } from "../s3-context.ts";

/** Empty for a bucket whose versioning was never touched. */
export const getBucketVersioning = operation("GetBucketVersioning", async (input, ctx) => {
  const { versioning } = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  return versioning === undefined ? {} : { Status: versioning };
});
