import type { Writer } from "../../../database/store.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import { discardUpload } from "../multipart/uploads.ts";
import { operation } from "../s3-context.ts";
import { removeAllSettings } from "../configuration/bucket-settings.ts";
import { requireBucket } from "./buckets.ts";

/** Uploads that nobody completed go with the bucket; objects keep it. */
export const deleteBucket = operation("DeleteBucket", async (input, ctx) => {
  await ctx.store.write(async (tx) => {
    const { name } = await requireBucket(tx, ctx.account, input.Bucket, input.ExpectedBucketOwner);
    if (await hasAny(tx, name)) {
      throw new AwsError("BucketNotEmpty", "The bucket you tried to delete is not empty", {
        fields: { BucketName: name },
      });
    }
    const uploads = await tx.selectFrom("uploads").select("id").where("bucket", "=", name).execute();
    for (const upload of uploads) await discardUpload(tx, upload.id, ctx.clock.now());
    await removeAllSettings(tx, name);
    await tx.deleteFrom("buckets").where("name", "=", name).execute();
  });
});

/** Versions and delete markers keep a bucket as well. */
async function hasAny(tx: Writer, bucket: string): Promise<boolean> {
  for (const table of ["objects", "object_versions"] as const) {
    const row = await tx.selectFrom(table).select("key").where("bucket", "=", bucket).limit(1).executeTakeFirst();
    if (row) return true;
  }
  return false;
}
