import { expect, test } from "vitest";
import { openTestStore } from "../../../database/store.fake.ts";
import { FakeClock } from "../../../lib/clock.fake.ts";
import { anonymousAccount, canonicalUserId } from "../bucket/buckets.ts";
import { newObjectAccess } from "./new-object-access.ts";
import { createFakeS3, testAccount, type FakeS3 } from "../s3.fake.ts";

const Bucket = "digits";
const otherAccount = "111111111111";
const everyone = { Type: "Group", URI: "http://acs.amazonaws.com/groups/global/AllUsers" } as const;
const person = (account: string) =>
  ({ Type: "CanonicalUser", ID: canonicalUserId(account), DisplayName: account }) as const;
const own = { Grantee: person(testAccount), Permission: "FULL_CONTROL" } as const;
const openToRead = [own, { Grantee: everyone, Permission: "READ" }];

type Ownership = "BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter";

async function withLists(ObjectOwnership: Ownership = "ObjectWriter"): Promise<FakeS3> {
  const fake = await createFakeS3();
  await fake.call("CreateBucket", { Bucket, ObjectOwnership }, { region: "us-east-1" });
  await fake.call("DeletePublicAccessBlock", { Bucket });
  return fake;
}

async function withOtherAccount(fake: FakeS3): Promise<void> {
  const key = { access_key_id: "AKIAOTHER", secret_access_key: "x", is_active: 1, created_at: 0 };
  const row = { ...key, account: otherAccount, user_id: otherAccount };
  await fake.store.write((tx) =>
    tx
      .insertInto("access_keys")
      .values({ ...row, principal_arn: `arn:aws:iam::${otherAccount}:root` })
      .execute(),
  );
}

test.each([
  ["private", [own]],
  ["public-read", openToRead],
  ["public-read-write", [...openToRead, { Grantee: everyone, Permission: "WRITE" }]],
  ["bucket-owner-full-control", [own]],
] as const)("the list %s grants what S3's grants", async (ACL, grants) => {
  const { call } = await withLists();
  await call("PutObject", { Bucket, Key: "k", Body: "x", ACL });
  expect(await call("GetObjectAcl", { Bucket, Key: "k" })).toEqual({
    Owner: { ID: canonicalUserId(testAccount), DisplayName: testAccount },
    Grants: grants,
  });
});

test("a bucket's list is what was put, by name, by headers and by a document", async () => {
  const fake = await withLists();
  await withOtherAccount(fake);
  const { call } = fake;
  await call("PutBucketAcl", { Bucket, ACL: "public-read" });
  const shown = await call("GetBucketAcl", { Bucket });
  expect(shown.Grants).toEqual(openToRead);
  const to = `id="${canonicalUserId(otherAccount)}"`;
  await call("PutBucketAcl", { Bucket, GrantWrite: `${to}, uri="${everyone.URI}"`, GrantReadACP: to });
  expect((await call("GetBucketAcl", { Bucket })).Grants).toEqual([
    { Grantee: person(otherAccount), Permission: "WRITE" },
    { Grantee: everyone, Permission: "WRITE" },
    { Grantee: person(otherAccount), Permission: "READ_ACP" },
  ]);
  await call("PutBucketAcl", { Bucket, AccessControlPolicy: shown });
  expect(await call("GetBucketAcl", { Bucket })).toEqual(shown);
});

test("lists that make no sense are refused", async () => {
  const { call } = await withLists();
  const put = (list: object): Promise<unknown> => call("PutBucketAcl", { Bucket, ...list });
  const Owner = person(testAccount);
  const document = (Grants: readonly object[], owner: object | undefined = Owner): object => ({
    AccessControlPolicy: { ...(owner && { Owner: owner }), Grants },
  });
  const refused: readonly (readonly [object, string])[] = [
    [{}, "MissingSecurityHeader"],
    [{ ACL: "for-all" }, "InvalidArgument"],
    [{ ACL: "constructor" }, "InvalidArgument"],
    [{ ACL: "private", GrantRead: `uri=${everyone.URI}` }, "InvalidRequest"],
    [{ ACL: "private", ...document([]) }, "UnexpectedContent"],
    [{ GrantRead: "everybody" }, "InvalidArgument"],
    [{ GrantRead: "uri=http://example.com/everyone" }, "InvalidArgument"],
    [{ GrantRead: `id=${"0".repeat(64)}` }, "InvalidArgument"],
    [{ GrantRead: 'emailAddress="ann@example.com"' }, "UnresolvableGrantByEmailAddress"],
    [{ AccessControlPolicy: { Grants: [own] } }, "MalformedACLError"],
    [document([own], person(otherAccount)), "AccessDenied"],
    [document([{ Grantee: { Type: "CanonicalUser" }, Permission: "READ" }]), "MalformedACLError"],
    [document([{ Grantee: everyone, Permission: "LISTEN" }]), "MalformedACLError"],
    [document(Array.from({ length: 101 }, () => own)), "InvalidRequest"],
  ];
  for (const [list, code] of refused) await expect(put(list), JSON.stringify(list)).rejects.toMatchObject({ code });
  expect((await call("GetBucketAcl", { Bucket })).Grants).toEqual([own]);
});

test("each version has a list of its own, which goes with it", async () => {
  const { call } = await withLists();
  await call("PutBucketVersioning", { Bucket, VersioningConfiguration: { Status: "Enabled" } });
  const first = await call("PutObject", { Bucket, Key: "k", Body: "1", ACL: "public-read" });
  const second = await call("PutObject", { Bucket, Key: "k", Body: "2" });
  const grantsOf = async (VersionId?: string): Promise<unknown> =>
    (await call("GetObjectAcl", { Bucket, Key: "k", ...(VersionId && { VersionId }) })).Grants;
  expect(await grantsOf(first.VersionId)).toEqual(openToRead);
  expect(await grantsOf()).toEqual([own]);
  await call("PutObjectAcl", { Bucket, Key: "k", ACL: "public-read" });
  await call("PutObjectAcl", { Bucket, Key: "k", VersionId: first.VersionId, ACL: "private" });
  expect([await grantsOf(first.VersionId), await grantsOf(second.VersionId)]).toEqual([[own], openToRead]);
  await call("DeleteObject", { Bucket, Key: "k", VersionId: second.VersionId });
  expect(await grantsOf()).toEqual([own]);
});

test("copies begin without their source's list; an upload in parts keeps the one it began with", async () => {
  const { call } = await withLists();
  await call("PutObject", { Bucket, Key: "open", Body: "x", ACL: "public-read" });
  await call("CopyObject", { Bucket, Key: "copy", CopySource: `${Bucket}/open` });
  await call("CopyObject", { Bucket, Key: "open copy", CopySource: `${Bucket}/open`, ACL: "public-read" });
  const upload = { Bucket, Key: "parts" };
  const { UploadId = "" } = await call("CreateMultipartUpload", { ...upload, ACL: "public-read" });
  const { ETag } = await call("UploadPart", { ...upload, UploadId, PartNumber: 1, Body: "part" });
  await call("CompleteMultipartUpload", { ...upload, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } });
  const grantsOf = async (Key: string): Promise<unknown> => (await call("GetObjectAcl", { Bucket, Key })).Grants;
  expect(await grantsOf("copy")).toEqual([own]);
  expect([await grantsOf("open copy"), await grantsOf("parts")]).toEqual([openToRead, openToRead]);
});

test.each([
  ["ObjectWriter", {}, otherAccount],
  ["ObjectWriter", { ACL: "bucket-owner-full-control" }, otherAccount],
  ["BucketOwnerPreferred", {}, otherAccount],
  ["BucketOwnerPreferred", { ACL: "bucket-owner-full-control" }, testAccount],
  ["BucketOwnerEnforced", { ACL: "bucket-owner-full-control" }, testAccount],
] as const)("under %s what another account writes with %j belongs to %s", async (ownership, list, owner) => {
  const { call } = await withLists(ownership);
  await call("PutObject", { Bucket, Key: "k", Body: "x", ...list }, { callerAccount: otherAccount });
  expect((await call("GetObjectAcl", { Bucket, Key: "k" })).Owner).toEqual({
    ID: canonicalUserId(owner),
    DisplayName: owner,
  });
  const { Contents } = await call("ListObjectsV2", { Bucket, FetchOwner: true });
  expect(Contents?.[0]?.Owner?.ID).toBe(canonicalUserId(owner));
  const { Versions } = await call("ListObjectVersions", { Bucket });
  expect(Versions?.[0]?.Owner?.ID).toBe(canonicalUserId(owner));
});

test("what strangers write belongs to the anonymous user that AWS knows", async () => {
  const { call } = await withLists();
  await call("PutObject", { Bucket, Key: "k", Body: "x" }, { callerAccount: anonymousAccount });
  expect((await call("GetObjectAcl", { Bucket, Key: "k" })).Owner?.ID).toBe("65a011a29cdf8ec533ec3d1ccaae921c");
});

test("lists cannot be disabled while one grants something to others; disabled, they are as if they were not there", async () => {
  const { call } = await withLists();
  const put = (ObjectOwnership: Ownership): Promise<unknown> =>
    call("PutBucketOwnershipControls", { Bucket, OwnershipControls: { Rules: [{ ObjectOwnership }] } });
  await call("PutBucketAcl", { Bucket, ACL: "public-read" });
  await expect(put("BucketOwnerEnforced")).rejects.toMatchObject({ code: "InvalidBucketAclWithObjectOwnership" });
  await call("PutObject", { Bucket, Key: "k", Body: "x", ACL: "public-read" }, { callerAccount: otherAccount });
  await call("PutBucketAcl", { Bucket, ACL: "private" });
  await put("BucketOwnerEnforced");
  expect((await call("GetObjectAcl", { Bucket, Key: "k" })).Grants).toEqual([own]);
  await expect(call("PutBucketAcl", { Bucket, ACL: "public-read" })).rejects.toMatchObject({
    code: "AccessControlListNotSupported",
  });
  await put("BucketOwnerPreferred");
  expect((await call("GetObjectAcl", { Bucket, Key: "k" })).Owner?.DisplayName).toBe(otherAccount);
  await expect(put("Nobody" as "ObjectWriter")).rejects.toMatchObject({ code: "MalformedXML" });
});

test("nothing can be made public while that is blocked; grants to one account can be made", async () => {
  const fake = await withLists();
  const { call } = fake;
  await withOtherAccount(fake);
  await call("PutObject", { Bucket, Key: "k", Body: "x" });
  await call("PutPublicAccessBlock", { Bucket, PublicAccessBlockConfiguration: { BlockPublicAcls: true } });
  const denied = { code: "AccessDenied" };
  for (const ACL of ["public-read", "authenticated-read"] as const) {
    await expect(call("PutBucketAcl", { Bucket, ACL })).rejects.toMatchObject(denied);
    await expect(call("PutObjectAcl", { Bucket, Key: "k", ACL })).rejects.toMatchObject(denied);
    await expect(call("PutObject", { Bucket, Key: "k", Body: "y", ACL })).rejects.toMatchObject(denied);
    await expect(call("CreateMultipartUpload", { Bucket, Key: "k", ACL })).rejects.toMatchObject(denied);
  }
  await call("PutObjectAcl", { Bucket, Key: "k", GrantRead: `id=${canonicalUserId(otherAccount)}` });
  expect((await call("GetObjectAcl", { Bucket, Key: "k" })).Grants).toEqual([
    { Grantee: person(otherAccount), Permission: "READ" },
  ]);
});

test("a write into a bucket without lists, or of its owner without a list, asks the database nothing more", async () => {
  const store = await openTestStore({ clock: new FakeClock() });
  await store.close();
  const rest = { name: Bucket, account: testAccount, region: "us-east-1", createdAt: new Date(0) };
  const bucket = { ...rest, versioning: undefined, grants: undefined };
  const access = (ownership: Ownership, writer: string, input: object): Promise<unknown> =>
    newObjectAccess(store.read, { ...bucket, ownership }, writer, input);
  expect(await access("BucketOwnerEnforced", otherAccount, { ACL: "bucket-owner-full-control" })).toBeUndefined();
  expect(await access("ObjectWriter", testAccount, {})).toBeUndefined();
  expect(await access("ObjectWriter", otherAccount, {})).toEqual({ owner: otherAccount });
  // Nothing can be asked of a store that is closed.
  await expect(access("ObjectWriter", testAccount, { ACL: "public-read" })).rejects.toThrow();
});

test("a bucket can be made with a list where it may have one", async () => {
  const { call } = await createFakeS3();
  const create = (name: string, wishes: object): Promise<unknown> =>
    call("CreateBucket", { Bucket: name, ...wishes }, { region: "us-east-1" });
  await expect(create("open", { ACL: "public-read" })).rejects.toMatchObject({
    code: "InvalidBucketAclWithObjectOwnership",
  });
  await expect(create("open", { ACL: "public-read", ObjectOwnership: "ObjectWriter" })).rejects.toMatchObject({
    code: "InvalidBucketAclWithBlockPublicAccessError",
  });
  await expect(create("open", { ObjectOwnership: "Nobody" })).rejects.toMatchObject({ code: "InvalidArgument" });
  await create("logs", { ACL: "log-delivery-write", ObjectOwnership: "BucketOwnerPreferred" });
  expect((await call("GetBucketAcl", { Bucket: "logs" })).Grants?.map(({ Permission }) => Permission)).toEqual([
    "FULL_CONTROL",
    "WRITE",
    "READ_ACP",
  ]);
});

test("made again in us-east-1, a bucket has the list that was asked for then", async () => {
  const { call } = await createFakeS3({ bucketDefaults: "2022" });
  const make = (wishes: object): Promise<unknown> =>
    call("CreateBucket", { Bucket, ...wishes }, { region: "us-east-1" });
  await make({ ACL: "public-read" });
  await make({});
  expect((await call("GetBucketAcl", { Bucket })).Grants).toEqual([own]);
  await make({ ACL: "public-read" });
  expect((await call("GetBucketAcl", { Bucket })).Grants).toEqual(openToRead);
  await call("PutPublicAccessBlock", { Bucket, PublicAccessBlockConfiguration: { BlockPublicAcls: true } });
  await expect(make({ ACL: "public-read" })).rejects.toMatchObject({ code: "AccessDenied" });
  await call("PutBucketAcl", { Bucket, ACL: "private" });
  const OwnershipControls = { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" as const }] };
  await call("PutBucketOwnershipControls", { Bucket, OwnershipControls });
  await expect(make({ ACL: "public-read" })).rejects.toMatchObject({ code: "AccessControlListNotSupported" });
});

test("with the defaults of 2022 a new bucket has lists, no rule of ownership, and nothing blocked", async () => {
  const { call } = await createFakeS3({ bucketDefaults: "2022" });
  await call("CreateBucket", { Bucket, ACL: "public-read" }, { region: "us-east-1" });
  expect((await call("GetBucketAcl", { Bucket })).Grants).toEqual(openToRead);
  await expect(call("GetPublicAccessBlock", { Bucket })).rejects.toMatchObject({
    code: "NoSuchPublicAccessBlockConfiguration",
  });
  await expect(call("GetBucketOwnershipControls", { Bucket })).rejects.toMatchObject({
    code: "OwnershipControlsNotFoundError",
  });
});
