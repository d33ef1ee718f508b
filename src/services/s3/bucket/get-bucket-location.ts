import type { GetBucketLocationOutput } from "../../../models/generated/s3.ts";
import { operation } from "../s3-context.ts";
import { requireBucket } from "./buckets.ts";

export const getBucketLocation = operation("GetBucketLocation", async (input, ctx) => {
  const { region } = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  // An empty constraint means us-east-1. Every region name works here, also those that the model does not list.
  return region === "us-east-1" ? {} : ({ LocationConstraint: region } as GetBucketLocationOutput);
});
