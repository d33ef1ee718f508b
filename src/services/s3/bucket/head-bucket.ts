import { operation } from "../s3-context.ts";
import { bucketArn, requireBucket } from "./buckets.ts";

export const headBucket = operation("HeadBucket", async (input, ctx) => {
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  return { BucketRegion: bucket.region, BucketArn: bucketArn(bucket.name), AccessPointAlias: false };
});
