// Gives an object other tags; neither its bytes nor its date change.
import type { Tag } from "../../../models/generated/s3.ts";
import { requireBucket } from "../bucket/buckets.ts";
import { refuseVersion } from "../object/describe-object.ts";
import { requireObject } from "../object/objects.ts";
import type { S3Context } from "../s3-context.ts";

export interface TaggedObject {
  readonly Bucket: string;
  readonly Key: string;
  readonly VersionId?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

export async function replaceTags(object: TaggedObject, ctx: S3Context, tags: readonly Tag[]): Promise<void> {
  refuseVersion(object.VersionId);
  await ctx.store.write(async (tx) => {
    const bucket = await requireBucket(tx, ctx.account, object.Bucket, object.ExpectedBucketOwner);
    await requireObject(tx, bucket.name, object.Key);
    await tx
      .updateTable("objects")
      .set({ tags: JSON.stringify(tags) })
      .where("bucket", "=", bucket.name)
      .where("key", "=", object.Key)
      .execute();
  });
}
