import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import type { ChecksumAlgorithm, ChecksumType } from "../../../models/generated/s3.ts";
import { createFakeS3, type FakeS3 } from "../s3.fake.ts";

const Bucket = "digits";
const Key = "big";
const minPart = 5 * 1024 * 1024;
const parts = [Buffer.alloc(minPart, "a"), Buffer.alloc(minPart + 1, "b"), Buffer.from("the end")];
const whole = Buffer.concat(parts);
const md5 = (bytes: Uint8Array): Buffer => createHash("md5").update(bytes).digest();
const eTagOfParts = `"${md5(Buffer.concat(parts.map(md5))).toString("hex")}-3"`;

const crc32Of = (bytes: Uint8Array): string => {
  const digest = Buffer.alloc(4);
  digest.writeUInt32BE(crc32(bytes));
  return digest.toString("base64");
};

async function withUpload(
  checksum: { readonly ChecksumAlgorithm?: ChecksumAlgorithm; readonly ChecksumType?: ChecksumType } = {},
): Promise<FakeS3 & { readonly UploadId: string }> {
  const fake = await createFakeS3();
  await fake.call("CreateBucket", { Bucket }, { region: "us-east-1" });
  const { UploadId = "" } = await fake.call("CreateMultipartUpload", {
    Bucket,
    Key,
    ContentType: "text/plain",
    Tagging: "t=1",
    ...checksum,
  });
  return { ...fake, UploadId };
}

async function uploadAll({ call }: FakeS3, UploadId: string) {
  const Parts = [];
  for (const [at, Body] of parts.entries()) {
    const { ETag } = await call("UploadPart", { Bucket, Key, UploadId, PartNumber: at + 1, Body });
    Parts.push({ PartNumber: at + 1, ETag });
  }
  return { Parts };
}

test("parts make an object, and nothing else of the upload stays", async () => {
  const fake = await withUpload();
  const { call, bytes, UploadId, s3, clock, blobIds } = fake;
  const MultipartUpload = await uploadAll(fake, UploadId);
  const done = await call("CompleteMultipartUpload", {
    Bucket,
    Key,
    UploadId,
    MultipartUpload,
    MpuObjectSize: whole.length,
  });
  expect(done).toMatchObject({ ETag: eTagOfParts, Location: "http://localhost/digits/big", Bucket, Key });
  expect((await bytes(Bucket, Key)).equals(whole)).toBe(true);
  expect(await call("HeadObject", { Bucket, Key })).toMatchObject({ ContentType: "text/plain", TagCount: 1 });
  await clock.advance(60_000);
  await s3.collectGarbage(clock.now());
  expect(await blobIds()).toHaveLength(1);
  await expect(call("ListParts", { Bucket, Key, UploadId })).rejects.toMatchObject({ code: "NoSuchUpload" });
  expect((await bytes(Bucket, Key)).equals(whole)).toBe(true);
});

test("completing once more answers the same", async () => {
  const fake = await withUpload();
  const { call, UploadId } = fake;
  const MultipartUpload = await uploadAll(fake, UploadId);
  const complete = () => call("CompleteMultipartUpload", { Bucket, Key, UploadId, MultipartUpload });
  const [first, second] = await Promise.all([complete(), complete()]);
  expect(second).toEqual(first);
  expect(await complete()).toEqual(first);
});

test("a single part of any size needs no copy", async () => {
  const { call, bytes, UploadId, blobIds, s3, clock } = await withUpload();
  const { ETag } = await call("UploadPart", { Bucket, Key, UploadId, PartNumber: 7, Body: "small" });
  await call("CompleteMultipartUpload", {
    Bucket,
    Key,
    UploadId,
    MultipartUpload: { Parts: [{ PartNumber: 7, ETag }] },
  });
  await clock.advance(60_000);
  await s3.collectGarbage(clock.now());
  expect(await blobIds()).toHaveLength(1);
  expect((await bytes(Bucket, Key)).toString()).toBe("small");
});

test("each part can be read by its number", async () => {
  const fake = await withUpload();
  const { call, UploadId } = fake;
  await call("CompleteMultipartUpload", { Bucket, Key, UploadId, MultipartUpload: await uploadAll(fake, UploadId) });
  const { Body, ...output } = await call("GetObject", { Bucket, Key, PartNumber: 2 });
  expect((await buffer(Body as Readable)).equals(parts[1]!)).toBe(true);
  expect(output).toMatchObject({ PartsCount: 3, ContentRange: `bytes ${minPart}-${2 * minPart}/${whole.length}` });
  await expect(call("HeadObject", { Bucket, Key, PartNumber: 4 })).rejects.toMatchObject({ httpStatus: 416 });
});

test("a full-object CRC of the whole follows from the parts, a composite one of their digests", async () => {
  for (const [ChecksumType, expected] of [
    ["FULL_OBJECT", crc32Of(whole)],
    ["COMPOSITE", `${crc32Of(Buffer.concat(parts.map((part) => Buffer.from(crc32Of(part), "base64"))))}-3`],
  ] as const) {
    const fake = await withUpload({ ChecksumAlgorithm: "CRC32", ChecksumType });
    const { call, UploadId } = fake;
    const MultipartUpload = await uploadAll(fake, UploadId);
    await expect(
      call("CompleteMultipartUpload", { Bucket, Key, UploadId, MultipartUpload, ChecksumCRC32: "AAAAAA==" }),
    ).rejects.toMatchObject({ code: "BadDigest" });
    const done = await call("CompleteMultipartUpload", {
      Bucket,
      Key,
      UploadId,
      MultipartUpload,
      ChecksumCRC32: expected,
    });
    expect(done).toMatchObject({ ChecksumCRC32: expected, ChecksumType });
    const attributes = await call("GetObjectAttributes", {
      Bucket,
      Key,
      ObjectAttributes: ["ObjectParts"],
      MaxParts: 2,
    });
    expect(attributes.ObjectParts).toMatchObject({
      TotalPartsCount: 3,
      IsTruncated: true,
      Parts: [{ PartNumber: 1 }, { PartNumber: 2 }],
    });
  }
});

test("a part with another checksum than the upload's is refused", async () => {
  const { call, UploadId } = await withUpload({ ChecksumAlgorithm: "CRC32" });
  await expect(
    call("UploadPart", {
      Bucket,
      Key,
      UploadId,
      PartNumber: 1,
      Body: "x",
      ChecksumSHA1: createHash("sha1").update("x").digest("base64"),
    }),
  ).rejects.toMatchObject({ code: "InvalidRequest" });
});

test("lists of parts that do not fit are refused", async () => {
  const fake = await withUpload();
  const { call, UploadId } = fake;
  const { Parts } = await uploadAll(fake, UploadId);
  const [one, two, three] = Parts;
  const complete = (list: readonly object[]) =>
    call("CompleteMultipartUpload", { Bucket, Key, UploadId, MultipartUpload: { Parts: list } });
  await expect(complete([])).rejects.toMatchObject({ code: "MalformedXML" });
  await expect(complete([two!, one!])).rejects.toMatchObject({ code: "InvalidPartOrder" });
  await expect(complete([one!, { ...two, ETag: '"no"' }])).rejects.toMatchObject({ code: "InvalidPart" });
  await expect(complete([one!, { PartNumber: 9, ETag: one!.ETag }])).rejects.toMatchObject({ code: "InvalidPart" });
  await call("UploadPart", { Bucket, Key, UploadId, PartNumber: 4, Body: "x" });
  await expect(
    complete([one!, three!, { PartNumber: 4, ETag: `"${md5(Buffer.from("x")).toString("hex")}"` }]),
  ).rejects.toMatchObject({
    code: "EntityTooSmall",
  });
  await expect(complete([one!, three!])).resolves.toBeDefined();
});

test("a part may be uploaded again; the later one counts", async () => {
  const { call, bytes, UploadId, s3, clock, blobIds } = await withUpload();
  await call("UploadPart", { Bucket, Key, UploadId, PartNumber: 1, Body: "first" });
  const { ETag } = await call("UploadPart", { Bucket, Key, UploadId, PartNumber: 1, Body: "second" });
  expect((await call("ListParts", { Bucket, Key, UploadId })).Parts).toMatchObject([{ PartNumber: 1, Size: 6 }]);
  await call("CompleteMultipartUpload", {
    Bucket,
    Key,
    UploadId,
    MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
  });
  expect((await bytes(Bucket, Key)).toString()).toBe("second");
  await clock.advance(60_000);
  await s3.collectGarbage(clock.now());
  expect(await blobIds()).toHaveLength(1);
});

test("parts are copied from objects, whole or by range", async () => {
  const { call, bytes, UploadId } = await withUpload();
  await call("PutObject", { Bucket, Key: "source", Body: whole });
  const copy = (PartNumber: number, CopySourceRange: string) =>
    call("UploadPartCopy", { Bucket, Key, UploadId, PartNumber, CopySource: `${Bucket}/source`, CopySourceRange });
  const first = await copy(1, `bytes=0-${minPart - 1}`);
  const second = await copy(2, `bytes=${minPart}-${whole.length - 1}`);
  await expect(copy(3, "bytes=5-")).rejects.toMatchObject({ code: "InvalidArgument" });
  await expect(copy(3, `bytes=0-${whole.length}`)).rejects.toMatchObject({ code: "InvalidRange" });
  const Parts = [first, second].map((part, at) => ({ PartNumber: at + 1, ETag: part.CopyPartResult?.ETag }));
  await call("CompleteMultipartUpload", { Bucket, Key, UploadId, MultipartUpload: { Parts } });
  expect((await bytes(Bucket, Key)).equals(whole)).toBe(true);
});

test("a copy of an object of parts is an object of one piece", async () => {
  const fake = await withUpload();
  const { call, UploadId } = fake;
  await call("CompleteMultipartUpload", { Bucket, Key, UploadId, MultipartUpload: await uploadAll(fake, UploadId) });
  const { CopyObjectResult } = await call("CopyObject", { Bucket, Key: "copy", CopySource: `${Bucket}/${Key}` });
  expect(CopyObjectResult?.ETag).toBe(`"${md5(whole).toString("hex")}"`);
});

test("an aborted upload leaves nothing", async () => {
  const fake = await withUpload();
  const { call, UploadId, s3, clock, blobIds } = fake;
  await uploadAll(fake, UploadId);
  await call("AbortMultipartUpload", { Bucket, Key, UploadId });
  await expect(call("UploadPart", { Bucket, Key, UploadId, PartNumber: 1, Body: "x" })).rejects.toMatchObject({
    code: "NoSuchUpload",
  });
  await clock.advance(60_000);
  await s3.collectGarbage(clock.now());
  expect(await blobIds()).toEqual([]);
});

test("conditions on the object are decided when the upload is completed", async () => {
  const { call, UploadId } = await withUpload();
  const { ETag } = await call("UploadPart", { Bucket, Key, UploadId, PartNumber: 1, Body: "x" });
  await call("PutObject", { Bucket, Key, Body: "in between" });
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  await expect(
    call("CompleteMultipartUpload", { Bucket, Key, UploadId, MultipartUpload, IfNoneMatch: "*" }),
  ).rejects.toMatchObject({ code: "PreconditionFailed" });
});

test("uploads and parts are listed in pages", async () => {
  const { call, clock, UploadId } = await withUpload();
  for (const PartNumber of [1, 2, 5]) await call("UploadPart", { Bucket, Key, UploadId, PartNumber, Body: "x" });
  const first = await call("ListParts", { Bucket, Key, UploadId, MaxParts: 2 });
  expect(first).toMatchObject({ IsTruncated: true, NextPartNumberMarker: 2 });
  const second = await call("ListParts", { Bucket, Key, UploadId, PartNumberMarker: 2 });
  expect(second).toMatchObject({ IsTruncated: false, Parts: [{ PartNumber: 5 }] });

  await clock.advance(1000);
  const again = await call("CreateMultipartUpload", { Bucket, Key });
  await call("CreateMultipartUpload", { Bucket, Key: "dir/one" });
  await call("CreateMultipartUpload", { Bucket, Key: "dir/two" });
  const page = await call("ListMultipartUploads", { Bucket, Delimiter: "/", MaxUploads: 2 });
  expect(page.Uploads?.map((upload) => upload.UploadId)).toEqual([UploadId, again.UploadId]);
  const rest = await call("ListMultipartUploads", {
    Bucket,
    Delimiter: "/",
    KeyMarker: page.NextKeyMarker,
    UploadIdMarker: page.NextUploadIdMarker,
  });
  expect(rest).toMatchObject({ IsTruncated: false, Uploads: [], CommonPrefixes: [{ Prefix: "dir/" }] });
  expect((await call("ListMultipartUploads", { Bucket, Prefix: "dir/" })).Uploads).toHaveLength(2);
});
