import { requireBucket } from "../bucket/buckets.ts";
import { operation } from "../s3-context.ts";
import { requireVersion } from "../versions/require-version.ts";
import { shownVersion } from "../versions/version-id.ts";
import { checkReadConditions } from "./conditions.ts";
import { describeObject, refuseCustomerKey } from "./describe-object.ts";

export const getObject = operation("GetObject", async (input, ctx) => {
  refuseCustomerKey(input.SSECustomerAlgorithm);
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  const object = await requireVersion(ctx.store.read, bucket, input.Key, input.VersionId);
  checkReadConditions(object, input);
  const { output, range } = describeObject(object, input);
  // The collector gives a blob that lost its row a minute, so it is still there.
  return { ...output, ...shownVersion(bucket, object), Body: await ctx.storage.read(object.blobId, range) };
});
