// Blobs as files: <folder>/<first two characters of the id>/<id>, written under incoming/ and renamed when durable.
import { constants, type Dirent } from "node:fs";
import { chmod, copyFile, mkdir, open, readdir, rename, rm, stat, writeFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { lending } from "../../lib/lent-chunks.ts";
import type { Random } from "../../lib/random.ts";
import { BlobMissingError, type Blob, type BlobStorage } from "../storage.ts";
import { BlockPool } from "./block-pool.ts";
import { appendAll, explained, isMissing, syncFolder } from "./durable-file.ts";
import { readLent } from "./read-lent.ts";

export interface FilesystemStorageOptions {
  /** What an earlier server left half written is removed at the start. */
  readonly folder: string;
  /** Other servers may be writing in it: only what none of them can be writing any more is removed. */
  readonly isShared?: boolean;
  readonly random: Random;
}

/** Longer than any source of bytes may pause. */
const abandonedAfterMs = 24 * 3_600_000;

const readBytes = 256 * 1024;

/** Nobody changes a blob, and whoever is handed its path may only read it. */
const blobMode = 0o444;

const idPattern = /^[0-9a-f]{32}$/;

const shards = Array.from({ length: 256 }, (_, at) => at.toString(16).padStart(2, "0"));

/** Opens the file tree, making it if it is new. Rejects with a sentence for people when the folder cannot be written. */
export async function createFilesystemStorage(options: FilesystemStorageOptions): Promise<BlobStorage> {
  const { folder, isShared = false, random } = options;
  const incoming = join(folder, "incoming");
  try {
    if (isShared) await removeAbandoned(incoming);
    else await rm(incoming, { recursive: true, force: true });
    await mkdir(incoming, { recursive: true });
    for (const shard of shards) await mkdir(join(folder, shard), { recursive: true });
    await syncFolder(folder);
  } catch (error) {
    throw explained(error, folder);
  }
  return new FilesystemStorage(folder, incoming, random);
}

/** By the clock that stamps the files, which is the file system's and may not be this server's. */
async function removeAbandoned(incoming: string): Promise<void> {
  await mkdir(incoming, { recursive: true });
  const stamp = join(incoming, ".now");
  await writeFile(stamp, "");
  const now = (await stat(stamp)).mtime.getTime();
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name);
    const modifiedAt = await modificationTime(path);
    if (modifiedAt && modifiedAt.getTime() < now - abandonedAfterMs) await rm(path, { force: true });
  }
}

class FilesystemStorage implements BlobStorage {
  readonly #folder: string;
  readonly #incoming: string;
  readonly #random: Random;
  readonly #blocks = new BlockPool();

  constructor(folder: string, incoming: string, random: Random) {
    this.#folder = folder;
    this.#incoming = incoming;
    this.#random = random;
  }

  write(source: AsyncIterable<Uint8Array>): Promise<Blob> {
    return this.#place(async (path) => {
      const file = await open(path, "wx", 0o600);
      return closing(file, async () => {
        const sizeBytes = await appendAll(file, source, this.#blocks);
        await file.sync();
        return sizeBytes;
      });
    });
  }

  join(ids: readonly string[]): Promise<Blob> {
    return this.#place(async (path) => {
      const [first, ...others] = ids;
      // The kernel copies the first part, sharing its blocks where the file system can.
      if (first !== undefined)
        await this.#existing(first, copyFile(this.#pathOf(first), path, constants.COPYFILE_FICLONE));
      if (first !== undefined) await chmod(path, 0o600);
      const file = await open(path, "a", 0o600);
      return closing(file, async () => {
        for (const id of others) {
          const part = await this.#existing(id, open(this.#pathOf(id), "r"));
          await closing(part, () =>
            appendAll(
              file,
              readLent(part, undefined, () => {}),
              this.#blocks,
            ),
          );
        }
        await file.sync();
        return (await file.stat()).size;
      });
    });
  }

  async read(id: string, range?: { readonly start: number; readonly end: number }): Promise<Readable> {
    const file = await this.#existing(id, open(this.#pathOf(id), "r"));
    if (range && range.end < range.start) {
      await file.close();
      return Readable.from([], { objectMode: false });
    }
    // Opened before it is handed out: the blob may be removed while it is read.
    const stream = file.createReadStream({ highWaterMark: readBytes, ...range });
    return lending(stream, () => readLent(file, range, () => stream.destroy()));
  }

  localPath(id: string): string {
    return this.#pathOf(id);
  }

  async remove(id: string): Promise<void> {
    await rm(this.#pathOf(id), { force: true });
  }

  async *list(): AsyncGenerator<{ readonly id: string; readonly modifiedAt: Date }> {
    for (const shard of shards) {
      for (const entry of await this.#entries(shard)) {
        if (!entry.isFile() || !idPattern.test(entry.name)) continue;
        const modifiedAt = await modificationTime(join(this.#folder, shard, entry.name));
        if (modifiedAt) yield { id: entry.name, modifiedAt };
      }
    }
  }

  #entries(shard: string): Promise<Dirent[]> {
    return readdir(join(this.#folder, shard), { withFileTypes: true });
  }

  #pathOf(id: string): string {
    if (!idPattern.test(id)) throw new BlobMissingError(`no blob can have the id ${JSON.stringify(id)}`);
    return join(this.#folder, id.slice(0, 2), id);
  }

  async #existing<T>(id: string, opened: Promise<T>): Promise<T> {
    try {
      return await opened;
    } catch (error) {
      if (isMissing(error)) throw new BlobMissingError(`blob ${id} is not there`, { cause: error });
      throw error;
    }
  }

  /** `fill` makes the file at the path it is given and returns its size; then the file gets its name, durably. */
  async #place(fill: (path: string) => Promise<number>): Promise<Blob> {
    const id = this.#random.bytes(16).toString("hex");
    const temporary = join(this.#incoming, id);
    const path = this.#pathOf(id);
    try {
      const sizeBytes = await fill(temporary);
      await chmod(temporary, blobMode);
      await rename(temporary, path);
      await syncFolder(join(this.#folder, id.slice(0, 2)));
      return { id, sizeBytes };
    } catch (error) {
      await rm(temporary, { force: true });
      await rm(path, { force: true });
      throw explained(error, this.#folder);
    }
  }
}

async function closing<T>(file: FileHandle, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await file.close();
  }
}

async function modificationTime(path: string): Promise<Date | undefined> {
  try {
    return (await stat(path)).mtime;
  } catch (error) {
    // Removed since the folder was read.
    if (isMissing(error)) return undefined;
    throw error;
  }
}
