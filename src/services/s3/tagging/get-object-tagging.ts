import { requireBucket } from "../bucket/buckets.ts";
import { operation } from "../s3-context.ts";
import { requireVersion } from "../versions/require-version.ts";
import { shownVersion } from "../versions/version-id.ts";

export const getObjectTagging = operation("GetObjectTagging", async (input, ctx) => {
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  const object = await requireVersion(ctx.store.read, bucket, input.Key, input.VersionId);
  return { TagSet: object.tags, ...shownVersion(bucket, object) };
});
