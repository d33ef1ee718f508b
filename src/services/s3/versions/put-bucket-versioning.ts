import { requireBucket } from "../bucket/buckets.ts";
import { malformedXml, notImplemented } from "../errors.ts";
import { operation } from "../s3-context.ts";

export const putBucketVersioning = operation("PutBucketVersioning", async (input, ctx) => {
  const { Status, MFADelete } = input.VersioningConfiguration;
  if (Status === undefined) throw malformedXml();
  if (MFADelete === "Enabled") throw notImplemented("deletion with MFA");
  await ctx.store.write(async (tx) => {
    const { name } = await requireBucket(tx, ctx.account, input.Bucket, input.ExpectedBucketOwner);
    await tx.updateTable("buckets").set({ versioning: Status }).where("name", "=", name).execute();
  });
});
