// What a backup is made of, in this order: salvia.db, blobs/ID of every blob that its rows name, manifest.json. A tar file, or a
// folder of the same names. Written under another name until it is whole.
import { constants, createReadStream, existsSync, type Stats } from "node:fs";
import { copyFile, mkdir, open, readdir, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { readTar } from "../agent/tar/read-tar.ts";
import { blockBytes, paddedSize, writeTarHeader } from "../agent/tar/tar-header.ts";

export interface Manifest {
  readonly format: 1;
  /** ISO 8601 */
  readonly madeAt: string;
  /** Blobs with a file of their own. */
  readonly blobs: number;
  readonly blobBytes: number;
}

/** Cannot be made, or is not one; the message is for people. */
export class BackupError extends Error {}

export const databaseName = "salvia.db";
export const manifestName = "manifest.json";
export const blobName = (id: string): string => `blobs/${id}`;

const knownName = /^(?:salvia\.db|manifest\.json|blobs\/[0-9a-f]{32})$/;

export interface ArchiveWriter {
  /** Resolves to the file's size, once it is on disk. Rejects with ENOENT where the file is gone. */
  add(name: string, file: string): Promise<number>;
  addText(name: string, text: string): Promise<void>;
  /** Gives the backup its name. */
  finish(): Promise<void>;
  /** Removes what there is of it. */
  abandon(): Promise<void>;
}

export const isTar = (target: string): boolean => target.endsWith(".tar");

/** Throws BackupError where the target exists. */
export async function createArchive(target: string): Promise<ArchiveWriter> {
  const whole = resolve(target);
  if (existsSync(whole)) throw new BackupError(`${target} exists already; a backup never replaces anything`);
  await mkdir(dirname(whole), { recursive: true });
  const partial = join(dirname(whole), `.${basename(whole)}.partial-${process.pid}`);
  await rm(partial, { recursive: true, force: true });
  return isTar(target) ? TarWriter.at(partial, whole) : FolderWriter.at(partial, whole);
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

class FolderWriter implements ArchiveWriter {
  readonly #partial: string;
  readonly #whole: string;

  private constructor(partial: string, whole: string) {
    this.#partial = partial;
    this.#whole = whole;
  }

  static async at(partial: string, whole: string): Promise<FolderWriter> {
    await mkdir(join(partial, "blobs"), { recursive: true, mode: 0o700 });
    return new FolderWriter(partial, whole);
  }

  async add(name: string, file: string): Promise<number> {
    const path = join(this.#partial, name);
    await copyFile(file, path, constants.COPYFILE_FICLONE);
    await syncPath(path);
    return (await stat(path)).size;
  }

  async addText(name: string, text: string): Promise<void> {
    const handle = await open(join(this.#partial, name), "wx", 0o600);
    await handle.writeFile(text);
    await handle.sync();
    await handle.close();
  }

  async finish(): Promise<void> {
    await syncPath(join(this.#partial, "blobs"));
    await syncPath(this.#partial);
    await rename(this.#partial, this.#whole);
    await syncPath(dirname(this.#whole));
  }

  async abandon(): Promise<void> {
    await rm(this.#partial, { recursive: true, force: true });
  }
}

class TarWriter implements ArchiveWriter {
  readonly #partial: string;
  readonly #whole: string;
  readonly #file: FileHandle;

  private constructor(partial: string, whole: string, file: FileHandle) {
    this.#partial = partial;
    this.#whole = whole;
    this.#file = file;
  }

  static async at(partial: string, whole: string): Promise<TarWriter> {
    return new TarWriter(partial, whole, await open(partial, "wx", 0o600));
  }

  async add(name: string, file: string): Promise<number> {
    const source = await open(file, "r");
    try {
      const facts = await source.stat();
      await this.#header(name, facts);
      let written = 0;
      for await (const chunk of source.createReadStream({ autoClose: false, highWaterMark: 1 << 20 })) {
        written += (chunk as Buffer).length;
        await this.#file.appendFile(chunk as Buffer);
      }
      if (written !== facts.size) throw new BackupError(`${file} changed while it was read`);
      await this.#pad(written);
      return written;
    } finally {
      await source.close();
    }
  }

  async addText(name: string, text: string): Promise<void> {
    const bytes = Buffer.from(text);
    await this.#header(name, { size: bytes.length, mtimeMs: 0 });
    await this.#file.appendFile(bytes);
    await this.#pad(bytes.length);
  }

  async finish(): Promise<void> {
    await this.#file.appendFile(Buffer.alloc(2 * blockBytes));
    await this.#file.sync();
    await this.#file.close();
    await rename(this.#partial, this.#whole);
    await syncPath(dirname(this.#whole));
  }

  async abandon(): Promise<void> {
    await this.#file.close();
    await rm(this.#partial, { force: true });
  }

  async #header(name: string, { size, mtimeMs }: Pick<Stats, "size" | "mtimeMs">): Promise<void> {
    const modifiedAtSeconds = Math.floor(mtimeMs / 1_000);
    await this.#file.appendFile(
      writeTarHeader({ name, sizeBytes: size, mode: 0o600, modifiedAtSeconds, type: "0", linkName: "" }),
    );
  }

  async #pad(sizeBytes: number): Promise<void> {
    const padding = paddedSize(sizeBytes) - sizeBytes;
    if (padding > 0) await this.#file.appendFile(Buffer.alloc(padding));
  }
}

export interface ArchiveEntry {
  readonly name: string;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Every file of a backup, each to be read before the next. Throws BackupError for what is none. */
export async function* readArchive(source: string): AsyncGenerator<ArchiveEntry> {
  const facts = await stat(source).catch(() => undefined);
  if (!facts) throw new BackupError(`there is no backup at ${source}`);
  const entries = facts.isDirectory() ? folderEntries(source) : tarEntries(source);
  for await (const entry of entries) {
    if (!knownName.test(entry.name)) throw new BackupError(`${source} is no backup of Salvia: it holds ${entry.name}`);
    yield entry;
  }
}

async function* folderEntries(source: string): AsyncGenerator<ArchiveEntry> {
  for (const entry of await readdir(source, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    yield { name: entry.parentPath === source ? entry.name : `blobs/${entry.name}`, body: createReadStream(path) };
  }
}

async function* tarEntries(source: string): AsyncGenerator<ArchiveEntry> {
  for await (const { header, body } of readTar(createReadStream(source, { highWaterMark: 1 << 20 }))) {
    yield { name: header.name, body };
  }
}
