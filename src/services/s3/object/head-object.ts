import { requireBucket } from "../bucket/buckets.ts";
import { operation } from "../s3-context.ts";
import { checkReadConditions } from "./conditions.ts";
import { describeObject, refuseCustomerKey, refuseVersion } from "./describe-object.ts";
import { requireObject } from "./objects.ts";

export const headObject = operation("HeadObject", async (input, ctx) => {
  refuseCustomerKey(input.SSECustomerAlgorithm);
  refuseVersion(input.VersionId);
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  const object = await requireObject(ctx.store.read, bucket.name, input.Key);
  checkReadConditions(object, input);
  return describeObject(object, input).output;
});
