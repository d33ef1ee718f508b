import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { createFakeS3, type FakeS3 } from "../s3.fake.ts";

const Bucket = "digits";

async function withBucket(): Promise<FakeS3> {
  const fake = await createFakeS3();
  await fake.call("CreateBucket", { Bucket, CreateBucketConfiguration: { LocationConstraint: "us-west-2" } });
  return fake;
}

const base64 = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest("base64");

test("an object comes back with its bytes, ETag, type and metadata", async () => {
  const { call, bytes, clock } = await withBucket();
  const put = await call("PutObject", {
    Bucket,
    Key: "a/b.txt",
    Body: "hello",
    ContentType: "text/plain",
    CacheControl: "no-cache",
    Metadata: { Owner: "ann" },
  });
  expect(put.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"');
  expect((await bytes(Bucket, "a/b.txt")).toString()).toBe("hello");
  expect(await call("HeadObject", { Bucket, Key: "a/b.txt" })).toMatchObject({
    ContentLength: 5,
    ETag: put.ETag,
    ContentType: "text/plain",
    CacheControl: "no-cache",
    Metadata: { owner: "ann" },
    AcceptRanges: "bytes",
    LastModified: clock.now(),
  });
});

test("an object without a type is binary/octet-stream, and one without a body is empty", async () => {
  const { call, bytes } = await withBucket();
  await call("PutObject", { Bucket, Key: "empty" });
  expect(await call("HeadObject", { Bucket, Key: "empty" })).toMatchObject({
    ContentLength: 0,
    ContentType: "binary/octet-stream",
    ETag: '"d41d8cd98f00b204e9800998ecf8427e"',
  });
  expect(await bytes(Bucket, "empty")).toHaveLength(0);
});

test("keys that look like paths are only keys", async () => {
  const { call, bytes } = await withBucket();
  const keys = [
    "../../x",
    "./a/../b",
    "dir//x",
    "dir",
    "dir/",
    "ü/é~!*'().txt",
    "x=y&z;%25.txt",
    "\u0001",
    "é".repeat(512),
  ];
  for (const Key of keys) await call("PutObject", { Bucket, Key, Body: `at ${Key}` });
  for (const Key of keys) expect((await bytes(Bucket, Key)).toString()).toBe(`at ${Key}`);
});

test("a key of more than 1,024 bytes is too long", async () => {
  const { call } = await withBucket();
  await expect(call("PutObject", { Bucket, Key: `x${"é".repeat(512)}`, Body: "" })).rejects.toMatchObject({
    code: "KeyTooLongError",
  });
});

test.each([
  ["bytes=0-1", "01", "bytes 0-1/10"],
  ["bytes=8-", "89", "bytes 8-9/10"],
  ["bytes=-3", "789", "bytes 7-9/10"],
  ["bytes=-30", "0123456789", "bytes 0-9/10"],
  ["bytes=5-500", "56789", "bytes 5-9/10"],
])("the range %s is answered with its bytes", async (Range, text, ContentRange) => {
  const { call } = await withBucket();
  await call("PutObject", { Bucket, Key: "k", Body: "0123456789" });
  const { Body, ...output } = await call("GetObject", { Bucket, Key: "k", Range });
  expect((await buffer(Body as Readable)).toString()).toBe(text);
  expect(output).toMatchObject({ ContentRange, ContentLength: text.length });
});

test.each(["bytes=3-1", "bytes=0-1,3-4", "lines=1-2", "bytes=-"])(
  "the range %s is taken no notice of",
  async (Range) => {
    const { call } = await withBucket();
    await call("PutObject", { Bucket, Key: "k", Body: "0123456789" });
    expect(await call("HeadObject", { Bucket, Key: "k", Range })).toMatchObject({ ContentLength: 10 });
  },
);

test.each(["bytes=10-", "bytes=10-20", "bytes=-0"])("the range %s lies outside", async (Range) => {
  const { call } = await withBucket();
  await call("PutObject", { Bucket, Key: "k", Body: "0123456789" });
  await expect(call("GetObject", { Bucket, Key: "k", Range })).rejects.toMatchObject({ code: "InvalidRange" });
});

test("conditions on reading answer 304 and 412 as RFC 9110 says", async () => {
  const { call, clock } = await withBucket();
  const { ETag } = await call("PutObject", { Bucket, Key: "k", Body: "x" });
  const now = clock.now();
  const before = new Date(now.getTime() - 5000);
  const get = (conditions: object) => call("HeadObject", { Bucket, Key: "k", ...conditions });

  await expect(get({ IfMatch: ETag })).resolves.toBeDefined();
  await expect(get({ IfMatch: "*" })).resolves.toBeDefined();
  await expect(get({ IfMatch: '"no"' })).rejects.toMatchObject({ code: "PreconditionFailed" });
  await expect(get({ IfMatch: ETag, IfUnmodifiedSince: before })).resolves.toBeDefined();
  await expect(get({ IfUnmodifiedSince: before })).rejects.toMatchObject({ code: "PreconditionFailed" });
  await expect(get({ IfNoneMatch: `"a", ${ETag}` })).rejects.toMatchObject({ httpStatus: 304, headers: { ETag } });
  await expect(get({ IfNoneMatch: '"no"', IfModifiedSince: now })).resolves.toBeDefined();
  await expect(get({ IfModifiedSince: now })).rejects.toMatchObject({ httpStatus: 304 });
});

test("If-None-Match: * creates and never replaces; If-Match replaces only what it names", async () => {
  const { call, bytes, blobIds } = await withBucket();
  const { ETag } = await call("PutObject", { Bucket, Key: "k", Body: "first", IfNoneMatch: "*" });
  await expect(call("PutObject", { Bucket, Key: "k", Body: "second", IfNoneMatch: "*" })).rejects.toMatchObject({
    code: "PreconditionFailed",
  });
  await expect(call("PutObject", { Bucket, Key: "k", Body: "second", IfMatch: '"no"' })).rejects.toMatchObject({
    code: "PreconditionFailed",
  });
  await expect(call("PutObject", { Bucket, Key: "other", Body: "x", IfMatch: '"no"' })).rejects.toMatchObject({
    code: "NoSuchKey",
  });
  expect(await blobIds()).toHaveLength(1);
  await call("PutObject", { Bucket, Key: "k", Body: "second", IfMatch: ETag });
  expect((await bytes(Bucket, "k")).toString()).toBe("second");
});

test("of writers that race with If-None-Match: * exactly one wins, and no bytes of the others stay", async () => {
  const { call, blobIds } = await withBucket();
  const races = Array.from({ length: 8 }, (_, at) =>
    call("PutObject", { Bucket, Key: "k", Body: `writer ${at}`, IfNoneMatch: "*" }),
  );
  const results = await Promise.allSettled(races);
  expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
  expect(await blobIds()).toHaveLength(1);
});

test("a checksum in a header is verified, kept, and shown to who asks", async () => {
  const { call } = await withBucket();
  const ChecksumSHA256 = base64("sha256", "hello");
  const put = await call("PutObject", { Bucket, Key: "k", Body: "hello", ChecksumSHA256 });
  expect(put).toMatchObject({ ChecksumSHA256, ChecksumType: "FULL_OBJECT" });
  expect(await call("HeadObject", { Bucket, Key: "k", ChecksumMode: "ENABLED" })).toMatchObject({ ChecksumSHA256 });
  expect(await call("HeadObject", { Bucket, Key: "k" })).not.toHaveProperty("ChecksumSHA256");
  expect(
    await call("HeadObject", { Bucket, Key: "k", ChecksumMode: "ENABLED", Range: "bytes=0-1" }),
  ).not.toHaveProperty("ChecksumSHA256");
});

test.each([
  ["a wrong checksum", { ChecksumSHA256: base64("sha256", "other") }, "BadDigest"],
  ["a wrong MD5", { ContentMD5: base64("md5", "other") }, "BadDigest"],
  ["an MD5 that is none", { ContentMD5: "abc" }, "InvalidDigest"],
  ["a checksum that is none", { ChecksumCRC32: "abc" }, "InvalidRequest"],
  ["two checksums", { ChecksumCRC32: "AAAAAA==", ChecksumSHA1: base64("sha1", "hello") }, "InvalidRequest"],
  ["a body shorter than said", { ContentLength: 6 }, "IncompleteBody"],
  ["a customer's key", { SSECustomerAlgorithm: "AES256" }, "NotImplemented"],
  ["a KMS key", { ServerSideEncryption: "aws:kms", SSEKMSKeyId: "key" }, "NotImplemented"],
  ["an archive class", { StorageClass: "GLACIER" }, "NotImplemented"],
  ["too much metadata", { Metadata: { a: "x".repeat(2048) } }, "MetadataTooLarge"],
  ["two tags of one name", { Tagging: "a=1&a=2" }, "InvalidTag"],
] as const)("an object with %s is refused and nothing of it stays", async (_, members, code) => {
  const { call, blobIds } = await withBucket();
  await expect(call("PutObject", { Bucket, Key: "k", Body: "hello", ...members })).rejects.toMatchObject({ code });
  await expect(call("HeadObject", { Bucket, Key: "k" })).rejects.toMatchObject({ code: "NoSuchKey" });
  expect(await blobIds()).toEqual([]);
});

test("a trailing checksum is verified against the data", async () => {
  const { call } = await withBucket();
  const put = (value: string) =>
    call(
      "PutObject",
      { Bucket, Key: "k", Body: "hello" },
      {
        headers: { "x-amz-trailer": "x-amz-checksum-sha1", "x-amz-decoded-content-length": "5" },
        trailers: Promise.resolve({ "x-amz-checksum-sha1": value }),
      },
    );
  expect(await put(base64("sha1", "hello"))).toMatchObject({ ChecksumSHA1: base64("sha1", "hello") });
  await expect(put(base64("sha1", "other"))).rejects.toMatchObject({ code: "BadDigest" });
});

test("a body that breaks off leaves the old object", async () => {
  const { call, bytes, blobIds } = await withBucket();
  await call("PutObject", { Bucket, Key: "k", Body: "old" });
  const broken = Readable.from(
    (async function* () {
      yield Buffer.from("ne");
      throw new Error("aborted");
    })(),
  );
  await expect(call("PutObject", { Bucket, Key: "k", Body: broken })).rejects.toThrow("aborted");
  expect((await bytes(Bucket, "k")).toString()).toBe("old");
  expect(await blobIds()).toHaveLength(1);
});

test("aws-chunked is no encoding of the object", async () => {
  const { call } = await withBucket();
  await call("PutObject", { Bucket, Key: "k", Body: "x", ContentEncoding: "aws-chunked,gzip" });
  expect(await call("HeadObject", { Bucket, Key: "k" })).toMatchObject({ ContentEncoding: "gzip" });
});

test("a request may choose headers of the answer", async () => {
  const { call } = await withBucket();
  await call("PutObject", { Bucket, Key: "k", Body: "x", ContentType: "text/plain" });
  expect(
    await call("HeadObject", { Bucket, Key: "k", ResponseContentType: "text/csv", ResponseCacheControl: "no-store" }),
  ).toMatchObject({ ContentType: "text/csv", CacheControl: "no-store" });
});

test("what SDKs ask for without a key is stored, and no encryption is claimed", async () => {
  const { call } = await withBucket();
  const put = await call("PutObject", { Bucket, Key: "k", Body: "x", ServerSideEncryption: "aws:kms" });
  expect(put).not.toHaveProperty("ServerSideEncryption");
  expect(await call("HeadObject", { Bucket, Key: "k" })).not.toHaveProperty("ServerSideEncryption");
});

test("another account's bucket is closed, and a bucket owned by another than expected too", async () => {
  const { call } = await withBucket();
  await call("PutObject", { Bucket, Key: "k", Body: "x" });
  const other = { account: "111111111111" };
  for (const attempt of [
    () => call("GetObject", { Bucket, Key: "k" }, other),
    () => call("PutObject", { Bucket, Key: "k", Body: "y" }, other),
    () => call("HeadBucket", { Bucket }, other),
    () => call("ListObjectsV2", { Bucket }, other),
    () => call("HeadBucket", { Bucket, ExpectedBucketOwner: "111111111111" }),
  ]) {
    await expect(attempt()).rejects.toMatchObject({ code: "AccessDenied" });
  }
  await expect(call("GetObject", { Bucket: "nowhere", Key: "k" })).rejects.toMatchObject({ code: "NoSuchBucket" });
});

test.each(["../x", "./a/../b", "/", "a/", "a", "a//b", "..", "a\0b", "ü/数字/🙂", "k".repeat(1024), "con", "a\\..\\b"])(
  "the key %j is a name and never a path: it lies beside all others, and nothing leaves the folder",
  async (Key) => {
    const { call, bytes, blobIds } = await createFakeS3();
    await call("CreateBucket", { Bucket: "keys" }, { region: "us-east-1" });
    const others = ["a", "a/", "a/b", "b", "x"].filter((key) => key !== Key);
    for (const key of [...others, Key]) await call("PutObject", { Bucket: "keys", Key: key, Body: `of ${key}` });
    for (const key of [...others, Key]) expect((await bytes("keys", key)).toString()).toBe(`of ${key}`);
    expect(await blobIds()).toHaveLength(others.length + 1);
  },
);
