// Access control lists: disabled, so an answer always shows the owner with everything, and lists that say something else are refused.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ensure-object-ownership.html
import type { AccessControlPolicy, Grant } from "../../../models/generated/s3.ts";
import { canonicalUserId, ownerOf, type Bucket } from "../bucket/buckets.ts";
import { operation } from "../s3-context.ts";
import { requireVersion } from "../versions/require-version.ts";
import { aclNotSupported, refuseGrants } from "./grants.ts";
import { bucketOfRequest } from "./setting.ts";

function refusePolicy(policy: AccessControlPolicy | undefined, bucket: Bucket): void {
  const own = canonicalUserId(bucket.account);
  if ((policy?.Grants ?? []).every(({ Grantee }) => Grantee?.ID === own)) return;
  throw aclNotSupported();
}

const grantsOf = (bucket: Bucket): readonly Grant[] => [
  { Grantee: { ...ownerOf(bucket), Type: "CanonicalUser" }, Permission: "FULL_CONTROL" },
];

export const acl = [
  operation("GetBucketAcl", async (input, ctx) => {
    const bucket = await bucketOfRequest(input, ctx);
    return { Owner: ownerOf(bucket), Grants: grantsOf(bucket) };
  }),
  operation("PutBucketAcl", async (input, ctx) => {
    const bucket = await bucketOfRequest(input, ctx);
    refuseGrants(input, bucket);
    refusePolicy(input.AccessControlPolicy, bucket);
  }),
  operation("GetObjectAcl", async (input, ctx) => {
    const bucket = await bucketOfRequest(input, ctx);
    await requireVersion(ctx.store.read, bucket, input.Key, input.VersionId);
    return { Owner: ownerOf(bucket), Grants: grantsOf(bucket) };
  }),
  operation("PutObjectAcl", async (input, ctx) => {
    const bucket = await bucketOfRequest(input, ctx);
    await requireVersion(ctx.store.read, bucket, input.Key, input.VersionId);
    refuseGrants(input, bucket);
    refusePolicy(input.AccessControlPolicy, bucket);
    return {};
  }),
];
