import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { heldUntilKey } from "../../database/hold.ts";
import { StorageFullError } from "../../storage/storage.ts";
import { createFakeS3, testAccount, type FakeS3 } from "./s3.fake.ts";

const Bucket = "digits";

async function withBucket(): Promise<FakeS3> {
  const fake = await createFakeS3();
  await fake.call("CreateBucket", { Bucket }, { region: "us-east-1" });
  return fake;
}

const bytesOf = (content: string): AsyncIterable<Uint8Array> => Readable.from([Buffer.from(content)]);

test("what a service puts, clients get, and the other way round", async () => {
  const { s3, call, bytes } = await withBucket();
  const info = await s3.objects.put(testAccount, Bucket, "out/model", bytesOf("model"), {
    contentType: "application/gzip",
  });
  expect(info).toMatchObject({ bucket: Bucket, key: "out/model", sizeBytes: 5, contentType: "application/gzip" });
  expect((await bytes(Bucket, "out/model")).toString()).toBe("model");
  await call("PutObject", { Bucket, Key: "in", Body: "0123456789" });
  const given = await s3.objects.head(testAccount, Bucket, "in");
  expect(await text(await s3.objects.read(testAccount, given!))).toBe("0123456789");
  expect(await text(await s3.objects.read(testAccount, { bucket: Bucket, key: "in" }, { start: 2, end: 3 }))).toBe(
    "23",
  );
  expect(await readFile(s3.objects.localPath(given!)!, "utf8")).toBe("0123456789");
});

test("what is not there is undefined to head and an error to read", async () => {
  const { s3 } = await withBucket();
  expect(await s3.objects.head(testAccount, Bucket, "none")).toBeUndefined();
  expect(await s3.objects.bucketOwner(Bucket)).toBe(testAccount);
  expect(await s3.objects.bucketOwner("none")).toBeUndefined();
  await expect(s3.objects.read(testAccount, { bucket: Bucket, key: "none" })).rejects.toMatchObject({
    code: "NoSuchKey",
  });
  await expect(s3.objects.head(testAccount, "none", "k")).rejects.toMatchObject({ code: "NoSuchBucket" });
});

test("another account's objects are closed", async () => {
  const { s3 } = await withBucket();
  const info = await s3.objects.put(testAccount, Bucket, "k", bytesOf("x"));
  const denied = { code: "AccessDenied" };
  await expect(s3.objects.head("111111111111", Bucket, "k")).rejects.toMatchObject(denied);
  await expect(s3.objects.read("111111111111", info)).rejects.toMatchObject(denied);
  await expect(s3.objects.put("111111111111", Bucket, "k", bytesOf("y"))).rejects.toMatchObject(denied);
  await expect(Array.fromAsync(s3.objects.list("111111111111", Bucket, ""))).rejects.toMatchObject(denied);
});

test("all keys of a prefix are listed in order, over pages", async () => {
  const { s3, store, clock } = await withBucket();
  const keys = Array.from({ length: 2100 }, (_, at) => `p/${String(at).padStart(5, "0")}`);
  await store.write(async (tx) => {
    for (const key of [...keys, "o", "q"]) {
      const row = {
        bucket: Bucket,
        key,
        blob_id: "b",
        size_bytes: 1,
        etag: "e",
        modified_at: clock.now().getTime(),
        attributes: "{}",
      };
      await tx
        .insertInto("objects")
        .values({ ...row, tags: "[]", checksum: null, parts: null, upload_id: null, version_id: "null", sequence: 0 })
        .execute();
    }
  });
  const listed = await Array.fromAsync(s3.objects.list(testAccount, Bucket, "p/"), (info) => info.key);
  expect(listed).toEqual(keys);
});

test("a pinned version outlives its replacement until it is unpinned", async () => {
  const { s3, clock, blobIds } = await withBucket();
  const planned = await s3.objects.put(testAccount, Bucket, "k", bytesOf("planned"));
  await s3.objects.pin("job-1", [planned]);
  await s3.objects.pin("job-1", [planned]);
  await s3.objects.put(testAccount, Bucket, "k", bytesOf("newer"));
  await clock.advance(3_600_000);
  await s3.collectGarbage(clock.now());
  await s3.sweepOrphans(new Date("2100-01-01"));
  expect(await text(await s3.objects.read(testAccount, planned))).toBe("planned");
  await s3.objects.unpin("job-1");
  await s3.collectGarbage(clock.now());
  expect(await blobIds()).toHaveLength(1);
});

test("a version that is gone cannot be pinned, one that only waits for the collector can", async () => {
  const { s3, clock } = await withBucket();
  const first = await s3.objects.put(testAccount, Bucket, "k", bytesOf("1"));
  const second = await s3.objects.put(testAccount, Bucket, "k", bytesOf("2"));
  await s3.objects.put(testAccount, Bucket, "k", bytesOf("3"));
  await s3.objects.pin("job", [second]);
  await clock.advance(120_000);
  await s3.collectGarbage(clock.now());
  expect(await text(await s3.objects.read(testAccount, second))).toBe("2");
  await expect(s3.objects.pin("job", [first])).rejects.toMatchObject({ code: "NoSuchKey" });
});

test("garbage stays while a backup holds it", async () => {
  const { s3, call, clock, store, storage } = await withBucket();
  await call("PutObject", { Bucket, Key: "k", Body: "x" });
  await call("DeleteObject", { Bucket, Key: "k" });
  const blobs = async (): Promise<number> => (await Array.fromAsync(storage.list())).length;
  const until = clock.now().getTime() + 600_000;
  await store.write((tx) =>
    tx
      .insertInto("settings")
      .values({ key: heldUntilKey, value: String(until) })
      .execute(),
  );
  await clock.advance(300_000);
  await s3.collectGarbage(clock.now());
  expect(await blobs()).toBe(1);
  await clock.advance(300_000);
  await s3.collectGarbage(clock.now());
  expect(await blobs()).toBe(0);
});

test("garbage stays a minute, for whoever has just looked it up", async () => {
  const { s3, clock, blobIds } = await withBucket();
  await s3.objects.put(testAccount, Bucket, "k", bytesOf("1"));
  await s3.objects.put(testAccount, Bucket, "k", bytesOf("2"));
  await clock.advance(59_000);
  await s3.collectGarbage(clock.now());
  expect(await blobIds()).toHaveLength(2);
  await clock.advance(1_000);
  await s3.collectGarbage(clock.now());
  expect(await blobIds()).toHaveLength(1);
});

test("the sweeper leaves young blobs alone: their row may be on its way", async () => {
  const { s3, storage, blobIds } = await withBucket();
  await storage.write(bytesOf("on its way"));
  const [blob] = await Array.fromAsync(storage.list());
  await s3.sweepOrphans(new Date(blob!.modifiedAt.getTime() + 3_599_000));
  expect(await blobIds()).toHaveLength(1);
  await s3.sweepOrphans(new Date(blob!.modifiedAt.getTime() + 3_600_000));
  expect(await blobIds()).toHaveLength(0);
});

test("a full disk is told to the client as such", async () => {
  const fake = await createFakeS3({
    wrapStorage: (storage) => ({
      ...storage,
      write: async () => {
        throw new StorageFullError("full");
      },
    }),
  });
  await fake.call("CreateBucket", { Bucket }, { region: "us-east-1" });
  await expect(fake.call("PutObject", { Bucket, Key: "k", Body: "x" })).rejects.toMatchObject({
    code: "InsufficientStorage",
    httpStatus: 507,
  });
});
