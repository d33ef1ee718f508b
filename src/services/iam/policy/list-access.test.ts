// Access control lists in force, on a whole server: strangers without a signature, and users and roots of another account.
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketOwnershipControlsCommand,
  DeletePublicAccessBlockCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketAclCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { expect, onTestFinished, test } from "vitest";
import { canonicalUserId } from "../../s3/index.ts";
import { fakeAccount, startFakeSalvia, type FakeSalvia } from "../../../salvia.fake.ts";

const otherAccount = "111111111111";
const Bucket = "listed";
const secret = "another-secret-of-forty-characters-00000";

interface Story {
  readonly salvia: FakeSalvia;
  readonly s3: S3Client;
  /** Root of another account. */
  readonly other: S3Client;
  /** A user of it, who has no policy at all. */
  readonly bob: S3Client;
  /** Method and path without a signature: the status. */
  readonly stranger: (method: string, path: string, body?: string, headers?: Record<string, string>) => Promise<number>;
}

async function addKey({ store }: FakeSalvia, accessKeyId: string, name: string): Promise<void> {
  const key = { access_key_id: accessKeyId, secret_access_key: secret, is_active: 1, created_at: 0 };
  const who = { account: otherAccount, user_id: otherAccount, principal_arn: `arn:aws:iam::${otherAccount}:${name}` };
  await store.write((tx) =>
    tx
      .insertInto("access_keys")
      .values({ ...key, ...who })
      .execute(),
  );
}

async function setup(): Promise<Story> {
  const salvia = await startFakeSalvia();
  onTestFinished(() => salvia.stop());
  const clientOf = (accessKeyId: string): S3Client =>
    new S3Client({ ...salvia.client, credentials: { accessKeyId, secretAccessKey: secret } });
  await addKey(salvia, "AKIAOTHER00000000000", "root");
  await addKey(salvia, "AKIABOB0000000000000", "user/bob");
  const s3 = new S3Client(salvia.client);
  await s3.send(new CreateBucketCommand({ Bucket, ObjectOwnership: "ObjectWriter" }));
  await s3.send(new DeletePublicAccessBlockCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "closed", Body: "closed" }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "open", Body: "open", ACL: "public-read" }));
  return {
    salvia,
    s3,
    other: clientOf("AKIAOTHER00000000000"),
    bob: clientOf("AKIABOB0000000000000"),
    stranger: async (method, path, body, headers = {}) =>
      (await fetch(`${salvia.url}/${path}`, { method, headers, ...(body !== undefined && { body }) })).status,
  };
}

const outcome = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
    return "done";
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
};

const get = (Key: string): GetObjectCommand => new GetObjectCommand({ Bucket, Key });
const list = new ListObjectsV2Command({ Bucket });

test("a public object is read without a signature; the rest of its bucket is not", async () => {
  const { salvia, other, bob, stranger } = await setup();
  expect(await (await fetch(`${salvia.url}/${Bucket}/open`)).text()).toBe("open");
  expect(await stranger("HEAD", `${Bucket}/open`)).toBe(200);
  for (const path of ["closed", "nothing", "?list-type=2", "open?acl", "open?tagging", "?acl"])
    expect(await stranger("GET", `${Bucket}${path.startsWith("?") ? "" : "/"}${path}`), path).toBe(403);
  for (const [method, path, body] of [
    ["PUT", "/open", "x"],
    ["PUT", "/new", "x"],
    ["DELETE", "/open"],
    ["DELETE", ""],
  ] as const)
    expect(await stranger(method, `${Bucket}${path}`, body), `${method} ${path}`).toBe(403);
  for (const path of ["/open?acl", "?acl"])
    expect(await stranger("PUT", `${Bucket}${path}`, undefined, { "x-amz-acl": "public-read-write" }), path).toBe(403);
  expect(await outcome(other.send(get("open")))).toBe("done");
  expect(await outcome(other.send(get("closed")))).toBe("AccessDenied");
  // A user of another account needs its own account's leave too.
  expect(await outcome(bob.send(get("open")))).toBe("AccessDenied");
});

test("a bucket open to read tells its keys, and of objects that are not there that they are not", async () => {
  const { s3, other, stranger } = await setup();
  await s3.send(new PutBucketAclCommand({ Bucket, ACL: "public-read" }));
  expect(await stranger("GET", `${Bucket}?list-type=2`)).toBe(200);
  expect([await stranger("GET", `${Bucket}/nothing`), await stranger("GET", `${Bucket}/closed`)]).toEqual([404, 403]);
  expect(await outcome(other.send(get("nothing")))).toBe("NoSuchKey");
  expect(await stranger("PUT", `${Bucket}/new`, "x")).toBe(403);
  await s3.send(new PutBucketAclCommand({ Bucket, ACL: "private" }));
  expect(await stranger("GET", `${Bucket}?list-type=2`)).toBe(403);
});

test("a bucket open to write takes objects from anyone, who then own them", async () => {
  const { s3, other, stranger } = await setup();
  await s3.send(new PutBucketAclCommand({ Bucket, ACL: "public-read-write" }));
  expect(await stranger("PUT", `${Bucket}/dropped`, "x")).toBe(200);
  expect(await stranger("PUT", `${Bucket}/shown`, "x", { "x-amz-acl": "public-read" })).toBe(200);
  expect(await outcome(s3.send(get("dropped")))).toBe("AccessDenied");
  expect(await outcome(s3.send(get("shown")))).toBe("done");
  await other.send(new PutObjectCommand({ Bucket, Key: "theirs", Body: "x" }));
  expect(await outcome(s3.send(get("theirs")))).toBe("AccessDenied");
  expect(await outcome(s3.send(new CopyObjectCommand({ Bucket, Key: "c", CopySource: `${Bucket}/theirs` })))).toBe(
    "AccessDenied",
  );
  expect(await outcome(other.send(get("theirs")))).toBe("done");
  expect(await outcome(s3.send(new PutObjectAclCommand({ Bucket, Key: "theirs", ACL: "public-read" })))).toBe(
    "AccessDenied",
  );
  await other.send(new PutObjectAclCommand({ Bucket, Key: "theirs", ACL: "bucket-owner-full-control" }));
  expect(await outcome(s3.send(get("theirs")))).toBe("done");
  // The owner of the bucket may always clean up.
  expect(await stranger("DELETE", `${Bucket}/theirs`)).toBe(204);
});

test("under BucketOwnerEnforced lists say nothing any more, and the owner of the bucket reads all", async () => {
  const { s3, other, stranger } = await setup();
  await s3.send(new PutBucketAclCommand({ Bucket, ACL: "public-read-write" }));
  await other.send(new PutObjectCommand({ Bucket, Key: "theirs", Body: "x" }));
  await s3.send(new PutBucketAclCommand({ Bucket, ACL: "private" }));
  const OwnershipControls = { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" as const }] };
  await s3.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls }));
  expect([await stranger("GET", `${Bucket}/open`), await outcome(s3.send(get("theirs")))]).toEqual([403, "done"]);
  await s3.send(new DeleteBucketOwnershipControlsCommand({ Bucket }));
  expect([await stranger("GET", `${Bucket}/open`), await outcome(s3.send(get("theirs")))]).toEqual([
    200,
    "AccessDenied",
  ]);
});

test("what is public counts for nothing where that is ignored; a policy that denies always wins", async () => {
  const { s3, other, stranger } = await setup();
  const grant = { GrantRead: `id=${canonicalUserId(otherAccount)}` };
  await s3.send(new PutObjectAclCommand({ Bucket, Key: "closed", ...grant }));
  const ignore = { IgnorePublicAcls: true };
  await s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: ignore }));
  expect([await stranger("GET", `${Bucket}/open`), await outcome(other.send(get("closed")))]).toEqual([403, "done"]);
  await s3.send(new DeletePublicAccessBlockCommand({ Bucket }));
  expect(await stranger("GET", `${Bucket}/open`)).toBe(200);
  const Resource = `arn:aws:s3:::${Bucket}/*`;
  const Statement = [{ Effect: "Deny", Principal: "*", Action: "s3:GetObject", Resource }];
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }));
  expect([await stranger("GET", `${Bucket}/open`), await outcome(other.send(get("closed")))]).toEqual([
    403,
    "AccessDenied",
  ]);
});

test("a policy that lets others write only what the bucket's owner has full control of needs to say no more", async () => {
  const { s3, other, bob, stranger } = await setup();
  const Resource = `arn:aws:s3:::${Bucket}/*`;
  const Condition = { StringEquals: { "s3:x-amz-acl": "bucket-owner-full-control" } };
  const Principal = { AWS: otherAccount };
  const Statement = [{ Effect: "Allow", Principal, Action: "s3:PutObject", Resource, Condition }];
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }));
  const put = (ACL?: "public-read" | "bucket-owner-full-control") =>
    new PutObjectCommand({ Bucket, Key: "theirs", Body: "x", ...(ACL && { ACL }) });
  expect(await outcome(other.send(put()))).toBe("AccessDenied");
  expect(await outcome(other.send(put("public-read")))).toBe("AccessDenied");
  expect(await outcome(other.send(put("bucket-owner-full-control")))).toBe("done");
  expect(await outcome(s3.send(get("theirs")))).toBe("done");
  expect(await outcome(bob.send(put("bucket-owner-full-control")))).toBe("AccessDenied");
  const header = { "x-amz-acl": "bucket-owner-full-control" };
  expect(await stranger("PUT", `${Bucket}/theirs`, "x", header)).toBe(403);
  const change = new PutObjectAclCommand({ Bucket, Key: "closed", ACL: "bucket-owner-full-control" });
  expect(await outcome(other.send(change))).toBe("AccessDenied");
});

test("a bucket's policy opens its owner's objects alone, also under RestrictPublicBuckets", async () => {
  const { s3, other, stranger } = await setup();
  await s3.send(new PutBucketAclCommand({ Bucket, ACL: "public-read-write" }));
  await other.send(new PutObjectCommand({ Bucket, Key: "theirs", Body: "x" }));
  const Resource = `arn:aws:s3:::${Bucket}/*`;
  const Statement = [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource }];
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }));
  expect([await stranger("GET", `${Bucket}/closed`), await stranger("GET", `${Bucket}/theirs`)]).toEqual([200, 403]);
  const restrict = { RestrictPublicBuckets: true };
  await s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: restrict }));
  expect(await stranger("GET", `${Bucket}/closed`)).toBe(403);
});

test("each version is as public as its own list says", async () => {
  const { s3, stranger } = await setup();
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  const put = (ACL: "private" | "public-read") =>
    s3.send(new PutObjectCommand({ Bucket, Key: "open", Body: ACL, ACL }));
  const first = await put("private");
  const second = await put("public-read");
  const of = (versionId = ""): Promise<number> => stranger("GET", `${Bucket}/open?versionId=${versionId}`);
  expect([await of("null"), await of(first.VersionId), await of(second.VersionId)]).toEqual([200, 403, 200]);
  await s3.send(new PutObjectAclCommand({ Bucket, Key: "open", VersionId: second.VersionId, ACL: "private" }));
  expect([await of("null"), await of(second.VersionId)]).toEqual([200, 403]);
});

test("grants to one account reach its root, and its users only with a policy of their own", async () => {
  const { s3, other, bob, stranger } = await setup();
  const to = `id=${canonicalUserId(otherAccount)}`;
  await s3.send(
    new PutBucketAclCommand({ Bucket, GrantRead: to, GrantFullControl: `id=${canonicalUserId(fakeAccount)}` }),
  );
  await s3.send(new PutObjectAclCommand({ Bucket, Key: "closed", GrantReadACP: to }));
  expect(await outcome(other.send(list))).toBe("done");
  expect(await outcome(bob.send(list))).toBe("AccessDenied");
  expect(await stranger("GET", `${Bucket}?list-type=2`)).toBe(403);
  expect(await outcome(other.send(new GetObjectAclCommand({ Bucket, Key: "closed" })))).toBe("done");
  expect(await outcome(other.send(get("closed")))).toBe("AccessDenied");
  expect(await outcome(other.send(new HeadObjectCommand({ Bucket, Key: "nothing" })))).toBe("NotFound");
});

test("what is signed badly is refused, however public the object", async () => {
  const { stranger } = await setup();
  const credential = "AKIAEXAMPLE000000000/20260101/us-west-2/s3/aws4_request";
  const presigned = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260101T000000Z&X-Amz-SignedHeaders=host";
  const refused: readonly (readonly [string, number])[] = [
    ["X-Amz-Signature=00", 400],
    ["X-Amz-Algorithm=AWS4-HMAC-SHA256", 400],
    [`${presigned}&X-Amz-Expires=60&X-Amz-Credential=${credential}&X-Amz-Signature=${"0".repeat(64)}`, 403],
    ["AWSAccessKeyId=AKIAEXAMPLE000000000&Signature=x&Expires=1", 403],
  ];
  for (const [query, status] of refused) expect(await stranger("GET", `${Bucket}/open?${query}`), query).toBe(status);
  for (const Authorization of ["AWS4-HMAC-SHA256 nonsense", "AWS AKIAEXAMPLE000000000:x", "Bearer token", "Basic YTpi"])
    expect([400, 403], Authorization).toContain(await stranger("GET", `${Bucket}/open`, undefined, { Authorization }));
});

test("no other service answers who signs nothing", async () => {
  const { salvia } = await setup();
  const json = (target: string): Promise<Response> =>
    fetch(salvia.url, {
      method: "POST",
      headers: { "x-amz-target": target, "content-type": "application/x-amz-json-1.1" },
      body: "{}",
    });
  for (const target of ["SageMaker.ListTrainingJobs", "Logs_20140328.DescribeLogGroups"])
    expect((await json(target)).status, target).toBeGreaterThanOrEqual(400);
  const query = (body: string): Promise<Response> =>
    fetch(salvia.url, { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body });
  for (const body of ["Action=ListUsers&Version=2010-05-08", "Action=GetCallerIdentity&Version=2011-06-15"])
    expect((await query(body)).status, body).toBe(403);
  expect((await fetch(`${salvia.url}/`)).status).toBe(403);
  expect((await fetch(`${salvia.url}/some-new-bucket`, { method: "PUT" })).status).toBe(403);
});
