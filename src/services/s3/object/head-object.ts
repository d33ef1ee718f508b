import { requireBucket } from "../bucket/buckets.ts";
import { operation } from "../s3-context.ts";
import { requireVersion } from "../versions/require-version.ts";
import { shownVersion } from "../versions/version-id.ts";
import { checkReadConditions } from "./conditions.ts";
import { describeObject, refuseCustomerKey } from "./describe-object.ts";

export const headObject = operation("HeadObject", async (input, ctx) => {
  refuseCustomerKey(input.SSECustomerAlgorithm);
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  const object = await requireVersion(ctx.store.read, bucket, input.Key, input.VersionId);
  checkReadConditions(object, input);
  return { ...describeObject(object, input).output, ...shownVersion(bucket, object) };
});
