import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemRandom } from "../../lib/random.ts";
import { describeBlobStorage } from "../storage.contract.ts";
import { StorageFullError } from "../storage.ts";
import { BlockPool } from "./block-pool.ts";
import { explained } from "./durable-file.ts";
import { createFilesystemStorage } from "./filesystem-storage.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "salvia-storage-"));
});
afterAll(() => rm(root, { recursive: true }));

const newFolder = (): Promise<string> => mkdtemp(join(root, "blobs-"));

describeBlobStorage("the file tree", async () =>
  createFilesystemStorage({ folder: await newFolder(), random: systemRandom }),
);

test("a blob is a file that nobody may change", async () => {
  const storage = await createFilesystemStorage({ folder: await newFolder(), random: systemRandom });
  for (const blob of [
    await storage.write(Readable.from([Buffer.from("abc")])),
    await storage.join([(await storage.write(Readable.from([Buffer.from("abc")]))).id]),
  ]) {
    const path = storage.localPath(blob.id)!;
    expect(await readFile(path, "utf8")).toBe("abc");
    expect((await stat(path)).mode & 0o777).toBe(0o444);
  }
});

test("what a crashed server left half written is gone after the next start", async () => {
  const folder = await newFolder();
  await mkdir(join(folder, "incoming"));
  await writeFile(join(folder, "incoming", "leftover"), "half");
  await createFilesystemStorage({ folder, random: systemRandom });
  expect(await readdir(join(folder, "incoming"))).toEqual([]);
});

test("opening the tree again keeps its blobs", async () => {
  const folder = await newFolder();
  const before = await createFilesystemStorage({ folder, random: systemRandom });
  const { id } = await before.write(Readable.from([Buffer.from("kept")]));
  const after = await createFilesystemStorage({ folder, random: systemRandom });
  expect(await Array.fromAsync(await after.read(id))).toEqual([Buffer.from("kept")]);
});

test.skipIf(!existsSync("/dev/full"))("a full disk is a StorageFullError (needs /dev/full)", async () => {
  const { open } = await import("node:fs/promises");
  const { appendAll } = await import("./durable-file.ts");
  const file = await open("/dev/full", "w");
  try {
    const failure: unknown = await appendAll(file, Readable.from([Buffer.alloc(4096)]), new BlockPool()).catch(
      (error: unknown) => error,
    );
    expect(explained(failure, "/objects")).toBeInstanceOf(StorageFullError);
  } finally {
    await file.close();
  }
});

test("a folder that cannot be written is named in the error", async () => {
  const file = join(await newFolder(), "not-a-folder");
  await writeFile(file, "");
  await expect(createFilesystemStorage({ folder: join(file, "x"), random: systemRandom })).rejects.toThrow(/ENOTDIR/);
  const denied = explained(Object.assign(new Error("no"), { code: "EACCES" }), "/objects");
  expect(String(denied)).toContain("may not write to /objects");
});
