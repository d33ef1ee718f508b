import { operation } from "../s3-context.ts";
import { requireBucket } from "./buckets.ts";

/** Empty, as on AWS for a bucket whose versioning was never touched: until versions exist, that is every bucket. */
export const getBucketVersioning = operation("GetBucketVersioning", async (input, ctx) => {
  await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  return {};
});
