import { requireBucket } from "../bucket/buckets.ts";
import { refuseVersion } from "../object/describe-object.ts";
import { requireObject } from "../object/objects.ts";
import { operation } from "../s3-context.ts";

export const getObjectTagging = operation("GetObjectTagging", async (input, ctx) => {
  refuseVersion(input.VersionId);
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  return { TagSet: (await requireObject(ctx.store.read, bucket.name, input.Key)).tags };
});
