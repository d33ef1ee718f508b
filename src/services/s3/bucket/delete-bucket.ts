import { AwsError } from "../../../lib/aws-error.ts";
import { discardUpload } from "../multipart/uploads.ts";
import { operation } from "../s3-context.ts";
import { removeAllSettings } from "./bucket-settings.ts";
import { requireBucket } from "./buckets.ts";

/** Uploads that nobody completed go with the bucket; objects keep it. */
export const deleteBucket = operation("DeleteBucket", async (input, ctx) => {
  await ctx.store.write(async (tx) => {
    const { name } = await requireBucket(tx, ctx.account, input.Bucket, input.ExpectedBucketOwner);
    const object = await tx.selectFrom("objects").select("key").where("bucket", "=", name).limit(1).executeTakeFirst();
    if (object) {
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
