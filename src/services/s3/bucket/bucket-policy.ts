// Policies of buckets are kept here, as the text that was given; who may do what is decided by iam/policy.
import type { Reader } from "../../../database/store.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import { operation } from "../s3-context.ts";
import { publicAccessBlockOf } from "../configuration/access-controls.ts";
import { accessDenied } from "../errors.ts";
import { requireBucket } from "./buckets.ts";
import { findSetting, removeSetting, saveSetting } from "../configuration/bucket-settings.ts";
import { checkPolicy, isPublic } from "./public-policy.ts";

const policySetting = "policy";

/** The bucket's policy document as its owner wrote it; undefined: there is none, or no such bucket. */
export const bucketPolicyOf = (read: Reader, bucket: string): Promise<string | undefined> =>
  findSetting(read, bucket, policySetting);

export const putBucketPolicy = operation("PutBucketPolicy", async (input, ctx) => {
  checkPolicy(input.Policy);
  await ctx.store.write(async (tx) => {
    const bucket = await requireBucket(tx, ctx.account, input.Bucket, input.ExpectedBucketOwner);
    const block = await publicAccessBlockOf(tx, bucket.name);
    if (block?.BlockPublicPolicy && isPublic(input.Policy)) throw accessDenied();
    await saveSetting(tx, bucket.name, policySetting, input.Policy, ctx.clock.now());
  });
});

export const getBucketPolicy = operation("GetBucketPolicy", async (input, ctx) => {
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  return { Policy: await requirePolicy(ctx.store.read, bucket.name) };
});

export const deleteBucketPolicy = operation("DeleteBucketPolicy", async (input, ctx) => {
  await ctx.store.write(async (tx) => {
    const bucket = await requireBucket(tx, ctx.account, input.Bucket, input.ExpectedBucketOwner);
    await removeSetting(tx, bucket.name, policySetting);
  });
});

export const getBucketPolicyStatus = operation("GetBucketPolicyStatus", async (input, ctx) => {
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  return { PolicyStatus: { IsPublic: isPublic(await requirePolicy(ctx.store.read, bucket.name)) } };
});

async function requirePolicy(reader: Reader, bucket: string): Promise<string> {
  const policy = await bucketPolicyOf(reader, bucket);
  if (policy !== undefined) return policy;
  throw new AwsError("NoSuchBucketPolicy", "The bucket policy does not exist", { fields: { BucketName: bucket } });
}
