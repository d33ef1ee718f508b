import { expect, test } from "vitest";
import { createFakeS3, type FakeS3 } from "../s3.fake.ts";
import { parseCopySource } from "./copy-source.ts";

const Bucket = "digits";

async function withObject(): Promise<FakeS3> {
  const fake = await createFakeS3();
  await fake.call("CreateBucket", { Bucket }, { region: "us-east-1" });
  await fake.call("PutObject", {
    Bucket,
    Key: "from",
    Body: "hello",
    ContentType: "text/plain",
    Metadata: { a: "1" },
    Tagging: "t=1",
  });
  return fake;
}

test.each([
  ["/b/k", "b", "k", undefined],
  ["b/dir/k%20x%2Fy", "b", "dir/k x/y", undefined],
  ["b/k%3Fa?versionId=null", "b", "k?a", "null"],
  ["b/a+b", "b", "a+b", undefined],
])("the copy source %s is read", (header, bucket, key, versionId) => {
  expect(parseCopySource(header)).toEqual({ bucket, key, versionId });
});

test.each(["", "b", "b/", "/k", "b/%zz"])("the copy source %s is refused", (header) => {
  expect(() => parseCopySource(header)).toThrow(expect.objectContaining({ code: "InvalidArgument" }));
});

test("a copy has the bytes, metadata and tags of its source, and outlives it", async () => {
  const { call, bytes, s3, clock, blobIds } = await withObject();
  const { CopyObjectResult } = await call("CopyObject", { Bucket, Key: "to", CopySource: `/${Bucket}/from` });
  expect(CopyObjectResult).toMatchObject({ ETag: '"5d41402abc4b2a76b9719d911017c592"' });
  expect(await blobIds()).toHaveLength(1);
  await call("DeleteObject", { Bucket, Key: "from" });
  await clock.advance(120_000);
  await s3.collectGarbage(clock.now());
  expect((await bytes(Bucket, "to")).toString()).toBe("hello");
  expect(await call("HeadObject", { Bucket, Key: "to" })).toMatchObject({
    ContentType: "text/plain",
    Metadata: { a: "1" },
  });
  expect((await call("GetObjectTagging", { Bucket, Key: "to" })).TagSet).toEqual([{ Key: "t", Value: "1" }]);
  await call("DeleteObject", { Bucket, Key: "to" });
  await clock.advance(120_000);
  await s3.collectGarbage(clock.now());
  expect(await blobIds()).toEqual([]);
});

test("directives replace metadata and tags", async () => {
  const { call } = await withObject();
  await call("CopyObject", {
    Bucket,
    Key: "to",
    CopySource: `${Bucket}/from`,
    MetadataDirective: "REPLACE",
    TaggingDirective: "REPLACE",
    ContentType: "text/csv",
    Tagging: "t=2",
  });
  const head = await call("HeadObject", { Bucket, Key: "to" });
  expect(head).toMatchObject({ ContentType: "text/csv", Metadata: {} });
  expect((await call("GetObjectTagging", { Bucket, Key: "to" })).TagSet).toEqual([{ Key: "t", Value: "2" }]);
});

test("a copy onto itself must change something", async () => {
  const { call, bytes, s3, clock } = await withObject();
  const CopySource = `${Bucket}/from`;
  await expect(call("CopyObject", { Bucket, Key: "from", CopySource })).rejects.toMatchObject({
    code: "InvalidRequest",
  });
  await call("CopyObject", { Bucket, Key: "from", CopySource, MetadataDirective: "REPLACE", Metadata: { b: "2" } });
  await clock.advance(120_000);
  await s3.collectGarbage(clock.now());
  expect((await bytes(Bucket, "from")).toString()).toBe("hello");
  expect(await call("HeadObject", { Bucket, Key: "from" })).toMatchObject({ Metadata: { b: "2" } });
});

test("conditions on the source and the target are kept", async () => {
  const { call } = await withObject();
  const copy = (members: object) => call("CopyObject", { Bucket, Key: "to", CopySource: `${Bucket}/from`, ...members });
  const broken = { code: "PreconditionFailed" };
  await expect(copy({ CopySourceIfMatch: '"no"' })).rejects.toMatchObject(broken);
  await expect(copy({ CopySourceIfNoneMatch: "*" })).rejects.toMatchObject(broken);
  await expect(copy({ CopySourceIfModifiedSince: new Date("2030-01-01") })).rejects.toMatchObject(broken);
  await copy({ IfNoneMatch: "*" });
  await expect(copy({ IfNoneMatch: "*" })).rejects.toMatchObject(broken);
  await expect(call("CopyObject", { Bucket, Key: "to", CopySource: `${Bucket}/none` })).rejects.toMatchObject({
    code: "NoSuchKey",
  });
});

test("a copy counts the checksum that it is asked for", async () => {
  const { call } = await withObject();
  const { CopyObjectResult } = await call("CopyObject", {
    Bucket,
    Key: "to",
    CopySource: `${Bucket}/from`,
    ChecksumAlgorithm: "CRC32",
  });
  expect(CopyObjectResult).toMatchObject({ ChecksumCRC32: "NhCmhg==", ETag: '"5d41402abc4b2a76b9719d911017c592"' });
});

test("deleting what is not there is fine; deleting what was changed meanwhile is not", async () => {
  const { call } = await withObject();
  await call("DeleteObject", { Bucket, Key: "none" });
  await expect(call("DeleteObject", { Bucket, Key: "from", IfMatch: '"no"' })).rejects.toMatchObject({
    code: "PreconditionFailed",
  });
  await call("DeleteObject", { Bucket, Key: "from", IfMatch: '"5d41402abc4b2a76b9719d911017c592"' });
  await expect(call("GetObject", { Bucket, Key: "from" })).rejects.toMatchObject({ code: "NoSuchKey" });
});

test("many are deleted at once, each with its own result", async () => {
  const { call } = await withObject();
  const Objects = [{ Key: "from" }, { Key: "none" }, { Key: "from", VersionId: "other" }];
  const { Deleted, Errors } = await call("DeleteObjects", { Bucket, Delete: { Objects } });
  expect(Deleted).toEqual([{ Key: "from" }, { Key: "none" }]);
  expect(Errors).toMatchObject([{ Key: "from", VersionId: "other", Code: "InvalidArgument" }]);
  expect(await call("DeleteObjects", { Bucket, Delete: { Objects: [{ Key: "x" }], Quiet: true } })).not.toHaveProperty(
    "Deleted",
  );
  await expect(call("DeleteObjects", { Bucket, Delete: { Objects: [] } })).rejects.toMatchObject({
    code: "MalformedXML",
  });
});

test("tags are put, read and deleted without changing the object", async () => {
  const { call, clock } = await withObject();
  const before = await call("HeadObject", { Bucket, Key: "from" });
  await clock.advance(5000);
  await call("PutObjectTagging", { Bucket, Key: "from", Tagging: { TagSet: [{ Key: "ü", Value: "" }] } });
  expect((await call("GetObjectTagging", { Bucket, Key: "from" })).TagSet).toEqual([{ Key: "ü", Value: "" }]);
  await call("DeleteObjectTagging", { Bucket, Key: "from" });
  expect((await call("GetObjectTagging", { Bucket, Key: "from" })).TagSet).toEqual([]);
  expect(await call("HeadObject", { Bucket, Key: "from" })).toMatchObject({
    ETag: before.ETag,
    LastModified: before.LastModified,
  });
  const eleven = Array.from({ length: 11 }, (_, at) => ({ Key: `${at}`, Value: "" }));
  await expect(call("PutObjectTagging", { Bucket, Key: "from", Tagging: { TagSet: eleven } })).rejects.toMatchObject({
    code: "BadRequest",
  });
});

test("attributes are the ones that were asked for", async () => {
  const { call } = await withObject();
  const attributes = await call("GetObjectAttributes", {
    Bucket,
    Key: "from",
    ObjectAttributes: ["ETag", "ObjectSize", "StorageClass", "ObjectParts"],
  });
  expect(attributes).toMatchObject({
    ETag: "5d41402abc4b2a76b9719d911017c592",
    ObjectSize: 5,
    StorageClass: "STANDARD",
  });
  expect(attributes).not.toHaveProperty("ObjectParts");
});
