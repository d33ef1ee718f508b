// Gives an object other tags; neither its bytes nor its date change.
import type { Tag } from "../../../models/generated/s3.ts";
import { requireBucket } from "../bucket/buckets.ts";
import type { S3Context } from "../s3-context.ts";
import { changeVersion } from "../versions/change-version.ts";
import { requireVersion } from "../versions/require-version.ts";
import { shownVersion } from "../versions/version-id.ts";

export interface TaggedObject {
  readonly Bucket: string;
  readonly Key: string;
  readonly VersionId?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

/** Answers which version has them now. */
export async function replaceTags(
  wanted: TaggedObject,
  ctx: S3Context,
  tags: readonly Tag[],
): Promise<{ readonly VersionId?: string }> {
  return ctx.store.write(async (tx) => {
    const bucket = await requireBucket(tx, ctx.account, wanted.Bucket, wanted.ExpectedBucketOwner);
    const object = await requireVersion(tx, bucket, wanted.Key, wanted.VersionId);
    await changeVersion(tx, object, { tags: JSON.stringify(tags) });
    return shownVersion(bucket, object);
  });
}
