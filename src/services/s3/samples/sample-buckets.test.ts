import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { silentLog } from "../../../lib/log.ts";
import { createMountedStorage } from "../../../storage/mounted/mounted-storage.ts";
import { createFakeS3, testAccount } from "../s3.fake.ts";
import { sampleAccount, SampleBucketError, syncSampleBuckets, type SampleBucket } from "./sample-buckets.ts";

async function world() {
  const folder = await mkdtemp(join(tmpdir(), "salvia-samples-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "mnist"));
  await writeFile(join(folder, "mnist", "a.bin"), "0123456789");
  await writeFile(join(folder, "readme"), "hello");
  const fake = await createFakeS3({ wrapStorage: createMountedStorage });
  // What wrapStorage made is the one that S3 reads.
  const storage = createMountedStorage(fake.storage);
  const sync = (samples: readonly SampleBucket[] = [{ name: "sample-us-west-2", folder }]): Promise<void> =>
    syncSampleBuckets({ store: fake.store, storage, log: silentLog, samples, now: fake.clock.now() });
  const rows = (): Promise<{ key: string; etag: string; blob_id: string; size_bytes: number }[]> =>
    fake.store.read
      .selectFrom("objects")
      .select(["key", "etag", "blob_id", "size_bytes"])
      .where("bucket", "=", "sample-us-west-2")
      .orderBy("key")
      .execute();
  return { ...fake, folder, storage, sync, rows };
}

test("the files of a folder are objects, and their bytes and ranges are read where they lie", async () => {
  const { sync, rows, storage } = await world();
  await sync();
  const found = await rows();
  expect(found.map(({ key, size_bytes }) => [key, size_bytes])).toEqual([
    ["mnist/a.bin", 10],
    ["readme", 5],
  ]);
  const [first] = found;
  expect(String(await buffer(await storage.read(first!.blob_id)))).toBe("0123456789");
  expect(String(await buffer(await storage.read(first!.blob_id, { start: 2, end: 4 })))).toBe("234");
  // Nobody is handed the path itself: it may lead elsewhere by the time it is opened.
  expect(storage.localPath(first!.blob_id)).toBeUndefined();
});

test("a file that changes gets another ETag, one that goes is gone, and nothing else is written again", async () => {
  const { sync, rows, folder } = await world();
  await sync();
  const before = await rows();
  await sync();
  expect(await rows()).toEqual(before);
  await writeFile(join(folder, "readme"), "jello");
  await utimes(join(folder, "readme"), 1, 1);
  await rm(join(folder, "mnist"), { recursive: true });
  await sync();
  const after = await rows();
  expect(after.map(({ key }) => key)).toEqual(["readme"]);
  expect(after[0]?.etag).not.toBe(before[1]?.etag);
});

test("links are left out, wherever they lead", async () => {
  const { sync, rows, folder } = await world();
  await symlink("/etc/passwd", join(folder, "passwd"));
  await symlink("/etc", join(folder, "etc"));
  await sync();
  expect((await rows()).map(({ key }) => key)).toEqual(["mnist/a.bin", "readme"]);
});

test("a file that becomes a link after the look cannot be read", async () => {
  const { sync, rows, folder, storage } = await world();
  await sync();
  const readme = (await rows())[1]!;
  await rm(join(folder, "readme"));
  await symlink("/etc/passwd", join(folder, "readme"));
  await expect(storage.read(readme.blob_id)).rejects.toThrow(/cannot be read/);
});

test("a file that becomes a pipe after the look cannot be read, and holds nobody up", async () => {
  const { sync, rows, folder, storage } = await world();
  await sync();
  const readme = (await rows())[1]!;
  await rm(join(folder, "readme"));
  execFileSync("sh", ["-c", `mkfifo "$1"`, "sh", join(folder, "readme")]);
  await expect(storage.read(readme.blob_id)).rejects.toThrow(/not the one that was listed/);
});

test("a folder that becomes a link after the look leads nowhere, and a changed file is not read under its old tag", async () => {
  const { sync, rows, folder, storage } = await world();
  const outside = await mkdtemp(join(tmpdir(), "salvia-outside-"));
  onTestFinished(() => rm(outside, { recursive: true }));
  await writeFile(join(outside, "a.bin"), "a secret!!");
  await sync();
  const [inFolder, readme] = await rows();
  await rm(join(folder, "mnist"), { recursive: true });
  await symlink(outside, join(folder, "mnist"));
  await expect(storage.read(inFolder!.blob_id)).rejects.toThrow(/not the one that was listed/);
  await writeFile(join(folder, "readme"), "longer than before");
  await expect(storage.read(readme!.blob_id)).rejects.toThrow(/not the one that was listed/);
});

test("removing an object's blob leaves the file alone", async () => {
  const { sync, rows, storage } = await world();
  await sync();
  const [first] = await rows();
  await storage.remove(first!.blob_id);
  expect(String(await buffer(await storage.read(first!.blob_id)))).toBe("0123456789");
});

test("the bucket belongs to nobody who has keys, and goes when it is mounted no more", async () => {
  const { sync, rows, store, call } = await world();
  await sync();
  const { account, region } = await store.read
    .selectFrom("buckets")
    .select(["account", "region"])
    .where("name", "=", "sample-us-west-2")
    .executeTakeFirstOrThrow();
  expect([account, region]).toEqual([sampleAccount, "us-west-2"]);
  const put = call("PutObject", { Bucket: "sample-us-west-2", Key: "x", Body: "x" }, { account: testAccount });
  await expect(put).rejects.toMatchObject({ code: "AccessDenied" });
  await sync([]);
  expect(await rows()).toEqual([]);
  await expect(call("HeadBucket", { Bucket: "sample-us-west-2" })).rejects.toMatchObject({ code: "NoSuchBucket" });
});

test("a name that is taken and a folder that is not there are refused in a sentence", async () => {
  const { sync, call, folder } = await world();
  await call("CreateBucket", { Bucket: "mine", CreateBucketConfiguration: { LocationConstraint: "us-west-2" } });
  await expect(sync([{ name: "mine", folder }])).rejects.toThrow(SampleBucketError);
  await expect(sync([{ name: "other", folder: join(folder, "nothing") }])).rejects.toThrow(/cannot be read/);
});
