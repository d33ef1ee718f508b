// Furniture of identity and of buckets' configuration: requests that work on a furnished installation, in the order of making.
import { fakeAccount, fakeRootKey } from "./salvia.fake.ts";

type Members = Readonly<Record<string, unknown>>;

const allow = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}';
const trust = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { Service: "sagemaker.amazonaws.com", AWS: `arn:aws:iam::${fakeAccount}:root` },
      Action: ["sts:AssumeRole", "sts:TagSession"],
    },
  ],
});
export const policyArn = `arn:aws:iam::${fakeAccount}:policy/policy`;
const bucketPolicy = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${fakeAccount}:root` },
      Action: "s3:*",
      Resource: "arn:aws:s3:::bucket",
    },
  ],
});

const user = { UserName: "user" };
const group = { GroupName: "group" };
const role = { RoleName: "role" };
const profile = { InstanceProfileName: "profile" };
const spareProfile = { InstanceProfileName: "spare-profile" };
const inline = { PolicyName: "policy", PolicyDocument: allow };
const boundary = { PermissionsBoundary: policyArn };
const tags = { Tags: [{ Key: "a", Value: "b" }] };
const Bucket = "bucket";
const destination = { S3BucketDestination: { Bucket: "arn:aws:s3:::empty-bucket", Format: "CSV" } };

/** Made each time, in this order; a refusal is fine. */
export const identityAndBucketFurniture: readonly (readonly [string, Members])[] = [
  ["iam.UpdateAssumeRolePolicy", { RoleName: "SalviaExecutionRole", PolicyDocument: trust }],
  [
    "iam.AttachRolePolicy",
    { RoleName: "SalviaExecutionRole", PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess" },
  ],
  ["iam.CreatePolicy", inline],
  ["iam.CreatePolicyVersion", { PolicyArn: policyArn, PolicyDocument: allow }],
  ["iam.CreateUser", user],
  ["iam.CreateGroup", group],
  ["iam.AddUserToGroup", { ...user, ...group }],
  ["iam.CreateInstanceProfile", profile],
  ["iam.AddRoleToInstanceProfile", { ...profile, ...role }],
  ["iam.CreateInstanceProfile", spareProfile],
  ["iam.RemoveRoleFromInstanceProfile", { ...spareProfile, ...role }],
  ["iam.PutUserPolicy", { ...user, ...inline }],
  ["iam.PutGroupPolicy", { ...group, ...inline }],
  ["iam.AttachUserPolicy", { ...user, PolicyArn: policyArn }],
  ["iam.AttachGroupPolicy", { ...group, PolicyArn: policyArn }],
  ["iam.AttachRolePolicy", { ...role, PolicyArn: policyArn }],
  ["iam.PutUserPermissionsBoundary", { ...user, ...boundary }],
  ["iam.PutRolePermissionsBoundary", { ...role, ...boundary }],
  ["s3.PutBucketVersioning", { Bucket: "versioned-bucket", VersioningConfiguration: { Status: "Enabled" } }],
  ["s3.PutBucketPolicy", { Bucket, Policy: bucketPolicy }],
  ["s3.PutBucketTagging", { Bucket, Tagging: { TagSet: [{ Key: "a", Value: "b" }] } }],
  [
    "s3.PutBucketCors",
    { Bucket, CORSConfiguration: { CORSRules: [{ AllowedMethods: ["GET"], AllowedOrigins: ["*"] }] } },
  ],
  [
    "s3.PutBucketLifecycleConfiguration",
    {
      Bucket,
      LifecycleConfiguration: {
        Rules: [{ ID: "old", Status: "Enabled", Filter: { Prefix: "old/" }, Expiration: { Days: 30 } }],
      },
    },
  ],
  ["s3.PutBucketLogging", { Bucket, BucketLoggingStatus: {} }],
  ["s3.PutBucketNotificationConfiguration", { Bucket, NotificationConfiguration: {} }],
  [
    "s3.PutBucketOwnershipControls",
    { Bucket, OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] } },
  ],
  ["s3.PutBucketRequestPayment", { Bucket, RequestPaymentConfiguration: { Payer: "BucketOwner" } }],
  ["s3.PutBucketAccelerateConfiguration", { Bucket, AccelerateConfiguration: { Status: "Suspended" } }],
  ["s3.PutBucketWebsite", { Bucket, WebsiteConfiguration: { IndexDocument: { Suffix: "index.html" } } }],
  ["s3.PutPublicAccessBlock", { Bucket, PublicAccessBlockConfiguration: { BlockPublicAcls: true } }],
  ["s3.PutBucketMetricsConfiguration", { Bucket, Id: "a", MetricsConfiguration: { Id: "a" } }],
  [
    "s3.PutBucketAnalyticsConfiguration",
    { Bucket, Id: "a", AnalyticsConfiguration: { Id: "a", StorageClassAnalysis: {} } },
  ],
  [
    "s3.PutBucketIntelligentTieringConfiguration",
    {
      Bucket,
      Id: "a",
      IntelligentTieringConfiguration: {
        Id: "a",
        Status: "Enabled",
        Tierings: [{ Days: 90, AccessTier: "ARCHIVE_ACCESS" }],
      },
    },
  ],
  [
    "s3.PutBucketInventoryConfiguration",
    {
      Bucket,
      Id: "a",
      InventoryConfiguration: {
        Id: "a",
        IsEnabled: true,
        IncludedObjectVersions: "All",
        Destination: destination,
        Schedule: { Frequency: "Daily" },
      },
    },
  ],
];

const configured = { Bucket, Id: "a" };

/** Besides those that make the furniture. */
export const identityAndBucketRecipes: Readonly<Record<string, Members>> = {
  ...Object.fromEntries(identityAndBucketFurniture),
  "iam.AddRoleToInstanceProfile": { ...spareProfile, ...role },
  "iam.CreateInstanceProfile": profile,
  "iam.AttachRolePolicy": { ...role, PolicyArn: policyArn },
  "iam.UpdateAssumeRolePolicy": { ...role, PolicyDocument: trust },
  "iam.CreatePolicyVersion": { PolicyArn: `${policyArn}-versions`, PolicyDocument: allow },
  "sts.GetAccessKeyInfo": { AccessKeyId: fakeRootKey.accessKeyId },
  "iam.DeletePolicy": { PolicyArn: `${policyArn}-spare` },
  "iam.DeletePolicyVersion": { PolicyArn: policyArn, VersionId: "v2" },
  "iam.SetDefaultPolicyVersion": { PolicyArn: policyArn, VersionId: "v1" },
  "iam.GetPolicyVersion": { PolicyArn: policyArn, VersionId: "v1" },
  "iam.TagPolicy": { PolicyArn: policyArn, ...tags },
  "iam.UntagPolicy": { PolicyArn: policyArn, TagKeys: ["a"] },
  "iam.GetUserPolicy": { ...user, PolicyName: "policy" },
  "iam.DeleteUserPolicy": { ...user, PolicyName: "policy" },
  "iam.GetGroupPolicy": { ...group, PolicyName: "policy" },
  "iam.DeleteGroupPolicy": { ...group, PolicyName: "policy" },
  "iam.DetachUserPolicy": { ...user, PolicyArn: policyArn },
  "iam.DetachGroupPolicy": { ...group, PolicyArn: policyArn },
  "iam.DetachRolePolicy": { ...role, PolicyArn: policyArn },
  "iam.DeleteUserPermissionsBoundary": user,
  "iam.DeleteRolePermissionsBoundary": role,
  "iam.RemoveRoleFromInstanceProfile": { ...profile, ...role },
  "iam.RemoveUserFromGroup": { ...user, ...group },
  "iam.ListGroupsForUser": user,
  "iam.ListUserPolicies": user,
  "iam.ListUserTags": user,
  "iam.SimulatePrincipalPolicy": {
    PolicySourceArn: `arn:aws:iam::${fakeAccount}:user/user`,
    ActionNames: ["s3:GetObject"],
    ResourceArns: ["arn:aws:s3:::bucket/plain"],
  },
  "iam.GetContextKeysForPrincipalPolicy": { PolicySourceArn: `arn:aws:iam::${fakeAccount}:user/user` },
  "s3.GetBucketAnalyticsConfiguration": configured,
  "s3.GetBucketInventoryConfiguration": configured,
  "s3.GetBucketIntelligentTieringConfiguration": configured,
  "s3.GetBucketMetricsConfiguration": configured,
  "s3.PutBucketAcl": { Bucket: "listed-bucket", ACL: "private" },
  "s3.PutObjectAcl": { Bucket: "listed-bucket", Key: "plain", ACL: "bucket-owner-read" },
  "s3.SelectObjectContent": {
    Bucket,
    Key: "plain",
    Expression: "SELECT * FROM s3object",
    ExpressionType: "SQL",
    InputSerialization: { CSV: {} },
    OutputSerialization: { CSV: {} },
  },
};
