import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { blobRows } from "../../database/blob-rows.ts";
import { openSqliteStore } from "../../database/sqlite/sqlite-store.ts";
import { systemClock } from "../../lib/clock.ts";
import { systemRandom } from "../../lib/random.ts";
import { createFilesystemStorage } from "../filesystem/filesystem-storage.ts";
import { describeBlobStorage } from "../storage.contract.ts";
import { BlobMissingError } from "../storage.ts";
import { createSmallBlobStorage, maxSmallBytes } from "./small-blob-storage.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "salvia-small-blobs-"));
});
afterAll(() => rm(root, { recursive: true }));

async function open() {
  const store = await openSqliteStore({ file: ":memory:", clock: systemClock });
  const rows = blobRows(store, systemClock);
  const large = await createFilesystemStorage({ folder: await mkdtemp(join(root, "blobs-")), random: systemRandom });
  return { rows, large, storage: createSmallBlobStorage({ large, rows, clock: systemClock, random: systemRandom }) };
}

describeBlobStorage("rows for small blobs", async () => (await open()).storage);

const idsOf = async (list: AsyncIterable<{ readonly id: string }>): Promise<string[]> =>
  (await Array.fromAsync(list)).map(({ id }) => id);

test("a blob at the limit is a row and has no file, one byte more is a file", async () => {
  const { rows, large, storage } = await open();
  const small = await storage.write(Readable.from([Buffer.alloc(maxSmallBytes - 1), Buffer.alloc(1)]));
  const big = await storage.write(Readable.from([Buffer.alloc(maxSmallBytes), Buffer.alloc(1)]));
  expect(await idsOf(rows.list())).toEqual([small.id]);
  expect(await idsOf(large.list())).toEqual([big.id]);
  expect([small.sizeBytes, big.sizeBytes]).toEqual([maxSmallBytes, maxSmallBytes + 1]);
  expect(storage.localPath(small.id)).toBeUndefined();
  expect(storage.localPath(big.id)).toBe(large.localPath(big.id));
});

test("a large part and a small one join in order, and no copy of the small one stays", async () => {
  const { large, storage } = await open();
  const parts = [Buffer.alloc(100_000, "a"), Buffer.from("the end")];
  const ids = [];
  for (const part of parts) ids.push((await storage.write(Readable.from([part]))).id);
  const joined = await storage.join(ids);
  expect((await buffer(await storage.read(joined.id))).equals(Buffer.concat(parts))).toBe(true);
  expect(new Set(await idsOf(large.list()))).toEqual(new Set([ids[0], joined.id]));
});

test("a source that is large and fails is let go of", async () => {
  const { storage } = await open();
  let isClosed = false;
  async function* failing(): AsyncGenerator<Uint8Array> {
    try {
      yield Buffer.alloc(maxSmallBytes + 1);
      throw new Error("the client went away");
    } finally {
      isClosed = true;
    }
  }
  await expect(storage.write(failing())).rejects.toThrow("the client went away");
  expect(isClosed).toBe(true);
  expect(await idsOf(storage.list())).toEqual([]);
});

test("more rows than a page are all listed", async () => {
  const { rows, storage } = await open();
  const made = await Promise.all(Array.from({ length: 2_001 }, () => storage.write(Readable.from([]))));
  expect(new Set(await idsOf(rows.list()))).toEqual(new Set(made.map(({ id }) => id)));
});

test("bytes that may wait for their writer's transaction are handed back, and not stored", async () => {
  const { storage, rows } = await open();
  const blob = await storage.write(Readable.from([Buffer.from("abc")]), { mayLeaveUnsaved: true });
  expect(String(blob.unsaved)).toBe("abc");
  await expect(storage.read(blob.id)).rejects.toThrow(BlobMissingError);
  await rows.insert(blob.id, Buffer.from("abc"));
  expect(await buffer(await storage.read(blob.id))).toEqual(Buffer.from("abc"));
});
