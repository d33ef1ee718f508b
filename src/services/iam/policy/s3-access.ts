// S3's actions differ from its operations' names more than other services' do.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
import type { NeededAccess, OperationCall } from "./operation-call.ts";

type Input = OperationCall["input"];
type Keys = Record<string, readonly string[]>;

/** Where the action on the bucket is not called like the operation. */
const bucketActions: Readonly<Record<string, string>> = {
  HeadBucket: "ListBucket",
  ListObjects: "ListBucket",
  ListObjectsV2: "ListBucket",
  ListObjectVersions: "ListBucketVersions",
  ListMultipartUploads: "ListBucketMultipartUploads",
  GetBucketLifecycle: "GetLifecycleConfiguration",
  GetBucketLifecycleConfiguration: "GetLifecycleConfiguration",
  PutBucketLifecycle: "PutLifecycleConfiguration",
  PutBucketLifecycleConfiguration: "PutLifecycleConfiguration",
  DeleteBucketLifecycle: "PutLifecycleConfiguration",
  GetBucketReplication: "GetReplicationConfiguration",
  PutBucketReplication: "PutReplicationConfiguration",
  DeleteBucketReplication: "PutReplicationConfiguration",
  GetBucketEncryption: "GetEncryptionConfiguration",
  PutBucketEncryption: "PutEncryptionConfiguration",
  DeleteBucketEncryption: "PutEncryptionConfiguration",
  GetBucketCors: "GetBucketCORS",
  PutBucketCors: "PutBucketCORS",
  DeleteBucketCors: "PutBucketCORS",
  DeleteBucketTagging: "PutBucketTagging",
  GetBucketNotificationConfiguration: "GetBucketNotification",
  PutBucketNotificationConfiguration: "PutBucketNotification",
  GetBucketAccelerateConfiguration: "GetAccelerateConfiguration",
  PutBucketAccelerateConfiguration: "PutAccelerateConfiguration",
  DeleteBucketOwnershipControls: "PutBucketOwnershipControls",
  GetPublicAccessBlock: "GetBucketPublicAccessBlock",
  PutPublicAccessBlock: "PutBucketPublicAccessBlock",
  DeletePublicAccessBlock: "PutBucketPublicAccessBlock",
  GetObjectLockConfiguration: "GetBucketObjectLockConfiguration",
  PutObjectLockConfiguration: "PutBucketObjectLockConfiguration",
};

/** Of objects; the value is the action, without its ending for versions. */
const objectActions: Readonly<Record<string, { readonly action: string; readonly hasVersions?: boolean }>> = {
  GetObject: { action: "GetObject", hasVersions: true },
  HeadObject: { action: "GetObject", hasVersions: true },
  SelectObjectContent: { action: "GetObject" },
  PutObject: { action: "PutObject" },
  CopyObject: { action: "PutObject" },
  CreateMultipartUpload: { action: "PutObject" },
  UploadPart: { action: "PutObject" },
  UploadPartCopy: { action: "PutObject" },
  CompleteMultipartUpload: { action: "PutObject" },
  AbortMultipartUpload: { action: "AbortMultipartUpload" },
  ListParts: { action: "ListMultipartUploadParts" },
  DeleteObject: { action: "DeleteObject", hasVersions: true },
  GetObjectTagging: { action: "GetObjectTagging", hasVersions: true },
  PutObjectTagging: { action: "PutObjectTagging", hasVersions: true },
  DeleteObjectTagging: { action: "DeleteObjectTagging", hasVersions: true },
  GetObjectAcl: { action: "GetObjectAcl", hasVersions: true },
  PutObjectAcl: { action: "PutObjectAcl", hasVersions: true },
  GetObjectAttributes: { action: "GetObjectAttributes", hasVersions: true },
};

const text = (input: Input, member: string): string | undefined => {
  const value = input[member];
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
};

const inputKeys: readonly (readonly [string, string])[] = [
  ["Prefix", "s3:prefix"],
  ["Delimiter", "s3:delimiter"],
  ["MaxKeys", "s3:max-keys"],
  ["VersionId", "s3:versionid"],
  ["ACL", "s3:x-amz-acl"],
  ["GrantFullControl", "s3:x-amz-grant-full-control"],
  ["GrantRead", "s3:x-amz-grant-read"],
  ["GrantReadACP", "s3:x-amz-grant-read-acp"],
  ["GrantWrite", "s3:x-amz-grant-write"],
  ["GrantWriteACP", "s3:x-amz-grant-write-acp"],
  ["ObjectOwnership", "s3:x-amz-object-ownership"],
  ["CopySource", "s3:x-amz-copy-source"],
  ["MetadataDirective", "s3:x-amz-metadata-directive"],
  ["ServerSideEncryption", "s3:x-amz-server-side-encryption"],
  ["SSEKMSKeyId", "s3:x-amz-server-side-encryption-aws-kms-key-id"],
  ["StorageClass", "s3:x-amz-storage-class"],
  ["IfMatch", "s3:if-match"],
  ["IfNoneMatch", "s3:if-none-match"],
];

/** x-amz-tagging of a put, or the tags of PutObjectTagging. */
function objectTags(input: Input): readonly (readonly [string, string])[] {
  const header = text(input, "Tagging");
  if (header !== undefined) return [...new URLSearchParams(header)];
  const given = (input["Tagging"] as { readonly TagSet?: readonly { Key: string; Value: string }[] } | undefined)
    ?.TagSet;
  return (given ?? []).map(({ Key, Value }) => [Key, Value] as const);
}

function keysOf(input: Input): Keys {
  const keys: Keys = {};
  for (const [member, key] of inputKeys) {
    const value = text(input, member);
    if (value !== undefined) keys[key] = [value];
  }
  const location = (input["CreateBucketConfiguration"] as Input | undefined)?.["LocationConstraint"];
  if (typeof location === "string") keys["s3:locationconstraint"] = [location];
  const tags = objectTags(input);
  for (const [name, value] of tags) keys[`s3:requestobjecttag/${name.toLowerCase()}`] = [value];
  if (tags.length > 0) keys["s3:requestobjecttagkeys"] = tags.map(([name]) => name);
  return keys;
}

export const bucketArn = (bucket: string): string => `arn:aws:s3:::${bucket}`;

/** Access to one object, also for those who ask without a request. */
export const objectAccess = (action: string, bucket: string, key: string, keys: Keys = {}): NeededAccess => ({
  action: `s3:${action}`,
  resource: `${bucketArn(bucket)}/${key}`,
  bucket,
  key,
  keys,
});

export const bucketAccess = (action: string, bucket: string, keys: Keys = {}): NeededAccess => ({
  action: `s3:${action}`,
  resource: bucketArn(bucket),
  bucket,
  keys,
});

/** BUCKET/KEY?versionId=V, percent-encoded; undefined where the handler will refuse it anyway. */
function copySource(header: string): NeededAccess | undefined {
  const [path = "", query] = header.split("?", 2);
  let decoded: string;
  try {
    decoded = decodeURIComponent(path.replace(/^\//, ""));
  } catch {
    return undefined;
  }
  const slash = decoded.indexOf("/");
  if (slash < 1) return undefined;
  const version = new URLSearchParams(query).get("versionId");
  return objectAccess(
    version === null ? "GetObject" : "GetObjectVersion",
    decoded.slice(0, slash),
    decoded.slice(slash + 1),
    version === null ? {} : { "s3:versionid": [version] },
  );
}

function deletions(input: Input, bucket: string): NeededAccess[] {
  const { Objects = [] } = (input["Delete"] ?? {}) as {
    readonly Objects?: readonly { Key: string; VersionId?: string }[];
  };
  return Objects.map(({ Key, VersionId }) =>
    VersionId === undefined
      ? objectAccess("DeleteObject", bucket, Key)
      : objectAccess("DeleteObjectVersion", bucket, Key, { "s3:versionid": [VersionId] }),
  );
}

/** Whether the request says who else has access to what it makes. */
const hasGrants = (input: Input): boolean =>
  ["ACL", "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP"].some(
    (member) => text(input, member) !== undefined,
  );

/** What a put does besides putting. */
function alongside(operation: string, input: Input): string[] {
  const puts = operation === "PutObject" || operation === "CopyObject" || operation === "CreateMultipartUpload";
  if (operation === "GetObjectAttributes") return ["GetObject"];
  if (!puts) return [];
  return [
    ...(text(input, "Tagging") === undefined ? [] : ["PutObjectTagging"]),
    ...(hasGrants(input) ? ["PutObjectAcl"] : []),
  ];
}

function objectOperation(name: string, input: Input, bucket: string, key: string): NeededAccess[] {
  const { action, hasVersions = false } = objectActions[name] ?? { action: name };
  const ending = hasVersions && text(input, "VersionId") !== undefined ? "Version" : "";
  const versioned = (plain: string): string =>
    // GetObjectVersionTagging, not GetObjectTaggingVersion.
    ending === "" ? plain : plain.replace(/^(Get|Put|Delete)Object/, `$1Object${ending}`);
  const keys = keysOf(input);
  const actions = [versioned(action), ...alongside(name, input).map(versioned)];
  const isOfNewObject = action === "PutObject";
  const needed = actions.map((each) => ({ ...objectAccess(each, bucket, key, keys), isOfNewObject }));
  const source = text(input, "CopySource");
  const read = source === undefined ? undefined : copySource(source);
  return read ? [...needed, read] : needed;
}

/** A name that is to be taken; whose it may be already, and what that bucket's policy says, is not asked. */
function creation(input: Input, bucket: string): NeededAccess[] {
  const actions = [
    "CreateBucket",
    ...(hasGrants(input) ? ["PutBucketAcl"] : []),
    ...(text(input, "ObjectOwnership") === undefined ? [] : ["PutBucketOwnershipControls"]),
  ];
  const keys = keysOf(input);
  return actions.map((action) => ({ action: `s3:${action}`, resource: bucketArn(bucket), keys }));
}

export function s3Access({ operation: { name }, input }: OperationCall): readonly NeededAccess[] {
  const bucket = text(input, "Bucket");
  if (bucket === undefined) {
    const action = name === "ListBuckets" || name === "ListDirectoryBuckets" ? "ListAllMyBuckets" : name;
    return [{ action: `s3:${action}`, resource: bucketArn("*"), keys: keysOf(input) }];
  }
  if (name === "CreateBucket") return creation(input, bucket);
  if (name === "DeleteObjects") return deletions(input, bucket);
  const key = text(input, "Key");
  if (key !== undefined) return objectOperation(name, input, bucket, key);
  const stored = /^(Get|List|Put|Delete)Bucket(Analytics|IntelligentTiering|Inventory|Metrics)Configurations?$/.exec(
    name,
  );
  const action = stored
    ? `${stored[1] === "Get" || stored[1] === "List" ? "Get" : "Put"}${stored[2]}Configuration`
    : (bucketActions[name] ?? name);
  return [bucketAccess(action, bucket, keysOf(input))];
}
