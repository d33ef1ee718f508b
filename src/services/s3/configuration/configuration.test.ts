import { expect, test } from "vitest";
import { createFakeS3, type FakeS3 } from "../s3.fake.ts";

const Bucket = "digits";

async function withBucket(): Promise<FakeS3> {
  const fake = await createFakeS3();
  await fake.call("CreateBucket", { Bucket }, { region: "us-east-1" });
  return fake;
}

test("what nobody configured is missing by the code that clients look for", async () => {
  const { call } = await withBucket();
  const missing = {
    GetBucketPolicy: "NoSuchBucketPolicy",
    GetBucketCors: "NoSuchCORSConfiguration",
    GetBucketLifecycleConfiguration: "NoSuchLifecycleConfiguration",
    GetBucketWebsite: "NoSuchWebsiteConfiguration",
    GetBucketTagging: "NoSuchTagSet",
    GetBucketReplication: "ReplicationConfigurationNotFoundError",
    GetBucketEncryption: "ServerSideEncryptionConfigurationNotFoundError",
    GetObjectLockConfiguration: "ObjectLockConfigurationNotFoundError",
  } as const;
  for (const name of Object.keys(missing) as (keyof typeof missing)[]) {
    await expect(call(name, { Bucket })).rejects.toMatchObject({ code: missing[name] });
    await expect(call(name, { Bucket: "nowhere" })).rejects.toMatchObject({ code: "NoSuchBucket" });
    await expect(call(name, { Bucket }, { account: "111111111111" })).rejects.toMatchObject({ code: "AccessDenied" });
  }
});

test("what has a default answers with it", async () => {
  const { call } = await withBucket();
  const on = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };
  expect(await call("GetPublicAccessBlock", { Bucket })).toEqual({ PublicAccessBlockConfiguration: on });
  expect(await call("GetBucketRequestPayment", { Bucket })).toEqual({ Payer: "BucketOwner" });
  expect(await call("GetBucketAccelerateConfiguration", { Bucket })).toEqual({});
  expect(await call("GetBucketLogging", { Bucket })).toEqual({});
  expect(await call("ListBucketMetricsConfigurations", { Bucket })).toMatchObject({ MetricsConfigurationList: [] });
  expect((await call("GetBucketAcl", { Bucket })).Grants).toMatchObject([{ Permission: "FULL_CONTROL" }]);
});

test("configurations with an id are kept apart, listed in their order, and end with the bucket", async () => {
  const { call, store } = await withBucket();
  for (const Id of ["b", "a"]) {
    await call("PutBucketMetricsConfiguration", { Bucket, Id, MetricsConfiguration: { Id } });
    await call("PutBucketAnalyticsConfiguration", {
      Bucket,
      Id,
      AnalyticsConfiguration: { Id, StorageClassAnalysis: {} },
    });
  }
  await call("DeleteBucketAnalyticsConfiguration", { Bucket, Id: "b" });
  const metrics = await call("ListBucketMetricsConfigurations", { Bucket });
  expect(metrics.MetricsConfigurationList).toEqual([{ Id: "a" }, { Id: "b" }]);
  const analytics = await call("ListBucketAnalyticsConfigurations", { Bucket });
  expect(analytics.AnalyticsConfigurationList).toHaveLength(1);
  await call("DeleteBucket", { Bucket });
  expect(await store.read.selectFrom("bucket_settings").selectAll().execute()).toEqual([]);
});

test("a bucket keeps the tags it was made with; fifty are allowed, and one of each key", async () => {
  const { call } = await createFakeS3();
  const TagSet = [{ Key: "team", Value: "vision" }];
  await call("CreateBucket", { Bucket, CreateBucketConfiguration: { Tags: TagSet } }, { region: "us-east-1" });
  expect(await call("GetBucketTagging", { Bucket })).toEqual({ TagSet });
  const many = Array.from({ length: 51 }, (_, n) => ({ Key: `k${n}`, Value: "" }));
  await call("PutBucketTagging", { Bucket, Tagging: { TagSet: many.slice(1) } });
  await expect(call("PutBucketTagging", { Bucket, Tagging: { TagSet: many } })).rejects.toMatchObject({
    code: "BadRequest",
  });
  const twice = { TagSet: [...TagSet, ...TagSet] };
  await expect(call("PutBucketTagging", { Bucket, Tagging: twice })).rejects.toMatchObject({ code: "InvalidTag" });
});

test("in a new bucket nobody can be granted access by lists, nor ask for encryption of it", async () => {
  const { call } = await withBucket();
  await call("PutObject", { Bucket, Key: "k", Body: "x", ACL: "bucket-owner-full-control" });
  const refused = { code: "AccessControlListNotSupported" };
  await expect(call("PutObject", { Bucket, Key: "k", Body: "y", ACL: "public-read" })).rejects.toMatchObject(refused);
  await expect(call("PutBucketAcl", { Bucket, ACL: "public-read" })).rejects.toMatchObject(refused);
  await expect(call("PutObjectAcl", { Bucket, Key: "k", GrantRead: "id=x" })).rejects.toMatchObject(refused);
  const everyone = { Type: "Group", URI: "http://acs.amazonaws.com/groups/global/AllUsers" } as const;
  const AccessControlPolicy = { Grants: [{ Grantee: everyone, Permission: "READ" as const }] };
  await expect(call("PutBucketAcl", { Bucket, AccessControlPolicy })).rejects.toMatchObject(refused);
  const own = await call("GetBucketAcl", { Bucket });
  await call("PutBucketAcl", { Bucket, AccessControlPolicy: own });
  await expect(
    call("PutBucketEncryption", {
      Bucket,
      ServerSideEncryptionConfiguration: {
        Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }],
      },
    }),
  ).rejects.toMatchObject({ code: "NotImplemented" });
});

test("a public access block can be deleted, and is then missing", async () => {
  const { call } = await withBucket();
  await call("DeletePublicAccessBlock", { Bucket });
  await expect(call("GetPublicAccessBlock", { Bucket })).rejects.toMatchObject({
    code: "NoSuchPublicAccessBlockConfiguration",
  });
});

test("ownership controls can be deleted and put back", async () => {
  const { call } = await withBucket();
  const enforced = { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" as const }] };
  expect((await call("GetBucketOwnershipControls", { Bucket })).OwnershipControls).toEqual(enforced);
  await call("DeleteBucketOwnershipControls", { Bucket });
  await expect(call("GetBucketOwnershipControls", { Bucket })).rejects.toMatchObject({
    code: "OwnershipControlsNotFoundError",
  });
  await call("PutBucketOwnershipControls", { Bucket, OwnershipControls: enforced });
  expect((await call("GetBucketOwnershipControls", { Bucket })).OwnershipControls).toEqual(enforced);
});

const policy = (statement: object) => JSON.stringify({ Statement: [{ Action: "s3:*", Resource: "*", ...statement }] });

test.each<[string, string, boolean]>([
  ["everybody", policy({ Effect: "Allow", Principal: "*" }), true],
  ["every AWS principal", policy({ Effect: "Allow", Principal: { AWS: ["111111111111", "*"] } }), true],
  ["all but one", policy({ Effect: "Allow", NotPrincipal: { AWS: "111111111111" } }), true],
  ["one account", policy({ Effect: "Allow", Principal: { AWS: "111111111111" } }), false],
  ["nobody", policy({ Effect: "Deny", Principal: "*" }), false],
  [
    "one network",
    policy({ Effect: "Allow", Principal: "*", Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } }),
    false,
  ],
  [
    "all networks",
    policy({ Effect: "Allow", Principal: "*", Condition: { IpAddress: { "aws:SourceIp": "0.0.0.0/0" } } }),
    true,
  ],
])(
  "whether a policy for %s is public is seen, and a public one is refused where that is blocked",
  async (_, text, is) => {
    const { call } = await withBucket();
    await call("DeletePublicAccessBlock", { Bucket });
    await call("PutBucketPolicy", { Bucket, Policy: text });
    expect((await call("GetBucketPolicyStatus", { Bucket })).PolicyStatus?.IsPublic).toBe(is);
    await call("PutPublicAccessBlock", { Bucket, PublicAccessBlockConfiguration: { BlockPublicPolicy: true } });
    const again = call("PutBucketPolicy", { Bucket, Policy: text });
    if (is) await expect(again).rejects.toMatchObject({ code: "AccessDenied" });
    else await expect(again).resolves.toBeUndefined();
  },
);

test.each(["", "[]", "{}", '{"Statement":[{}]}', '{"Statement":[{"Effect":"Maybe"}]}'])(
  "%s is no policy",
  async (Policy) => {
    const { call } = await withBucket();
    await expect(call("PutBucketPolicy", { Bucket, Policy })).rejects.toMatchObject({ code: "MalformedPolicy" });
  },
);

test.each([
  [{ AllowedMethods: ["PATCH"], AllowedOrigins: ["*"] }],
  [{ AllowedMethods: ["GET"], AllowedOrigins: ["http://*.*.com"] }],
  [{ AllowedMethods: ["GET"], AllowedOrigins: ["*"], AllowedHeaders: ["x-*-*"] }],
])("the CORS rule %j is refused", async (rule) => {
  const { call } = await withBucket();
  const CORSConfiguration = { CORSRules: [rule] };
  await expect(call("PutBucketCors", { Bucket, CORSConfiguration })).rejects.toMatchObject({ code: "InvalidRequest" });
});
