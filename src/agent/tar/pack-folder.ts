// A folder as one gzip member of tar entries, without the blocks that end an archive: the server joins the parts of all instances.
import { constants } from "node:fs";
import { lstat, open, readdir, readlink, realpath } from "node:fs/promises";
import { dirname, join, posix, relative, sep } from "node:path";
import { Readable } from "node:stream";
import { errorCode } from "../../lib/error-code.ts";
import { gzipInParallel } from "./gzip-in-parallel.ts";
import { paddedSize, writeTarHeader, type TarHeader } from "./tar-header.ts";

export interface PackEntry {
  /** Relative to the folder, "/"-separated. */
  readonly name: string;
  readonly kind: "file" | "folder" | "link";
  /** The file to read; for a link into the rest of the root, the file it leads to. */
  readonly path: string;
  readonly linkName: string;
}

export interface PackList {
  readonly entries: readonly PackEntry[];
  /** Names that are left out: links that leave the root, sockets, devices. */
  readonly leftOut: readonly string[];
}

/** A file of the task that cannot be read, and will not be the next time either. */
export class UnreadableFileError extends Error {}

/** What the machine lacks for a moment. */
const passingCodes: ReadonlySet<unknown> = new Set(["EMFILE", "ENFILE", "ENOMEM", "EAGAIN"]);

function unreadable(name: string, error: unknown): unknown {
  if (passingCodes.has(errorCode(error) ?? "")) return error;
  // The rest of a file system's message is the path on this machine.
  const why = error instanceof Error ? error.message.replace(/, .*$/s, "") : String(error);
  return new UnreadableFileError(`${name} cannot be read: ${why}`, { cause: error });
}

/**
 * What the folder holds, sorted by name. The program that wrote it is not trusted: no link is followed out of `root`. Throws
 * UnreadableFileError for a folder that cannot be listed.
 */
export async function listForPacking(folder: string, root: string): Promise<PackList> {
  const entries: PackEntry[] = [];
  const leftOut: string[] = [];
  const base = await realpath(folder).catch(() => undefined);
  const realRoot = await realpath(root);
  if (base === undefined || !isUnder(base, realRoot)) return { entries, leftOut };
  const walk = async (at: string): Promise<void> => {
    const children = await readdir(at, { withFileTypes: true }).catch((error: unknown) => {
      throw unreadable(shortened(relative(base, at)), error);
    });
    for (const child of children.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(at, child.name);
      const name = relative(base, path).split(sep).join("/");
      if (child.isDirectory()) {
        entries.push({ name, kind: "folder", path, linkName: "" });
        await walk(path);
      } else if (child.isFile()) {
        entries.push({ name, kind: "file", path, linkName: "" });
      } else {
        const link = child.isSymbolicLink() ? await linkEntry(name, path, realRoot) : undefined;
        if (link) entries.push(link);
        else leftOut.push(name);
      }
    }
  };
  await walk(base);
  return { entries, leftOut };
}

const shortened = (name: string): string => (name.length > 200 ? `${name.slice(0, 200)}…` : name || "the folder");

const isUnder = (path: string, folder: string): boolean => path === folder || path.startsWith(folder + sep);

async function linkEntry(name: string, path: string, realRoot: string): Promise<PackEntry | undefined> {
  const target = await readlink(path);
  const reached = posix.normalize(posix.join(posix.dirname(name), target));
  if (!target.startsWith("/") && reached !== ".." && !reached.startsWith("../"))
    return { name, kind: "link", path, linkName: target };
  // Inside the task the root is /opt/ml.
  const seen = target.startsWith("/opt/ml/")
    ? join(realRoot, target.slice("/opt/ml/".length))
    : join(dirname(path), target);
  const real = await realpath(seen).catch(() => undefined);
  if (real === undefined || !isUnder(real, realRoot) || !(await lstat(real)).isFile()) return undefined;
  return { name, kind: "file", path: real, linkName: "" };
}

/** The gzip member, made on all cores. Constant memory. Fails with UnreadableFileError where an entry cannot be read. */
export const packEntries = (entries: readonly PackEntry[]): Readable =>
  Readable.from(gzipInParallel(tarBytes(entries)), { objectMode: false });

async function* tarBytes(entries: readonly PackEntry[]): AsyncGenerator<Buffer> {
  for (const entry of entries) {
    try {
      if (entry.kind === "file") yield* fileBytes(entry);
      else yield await bodylessHeader(entry);
    } catch (error) {
      throw unreadable(shortened(entry.name), error);
    }
  }
}

async function bodylessHeader(entry: PackEntry): Promise<Buffer> {
  const { mode, mtimeMs } = await lstat(entry.path);
  const isFolder = entry.kind === "folder";
  const name = isFolder ? `${entry.name}/` : entry.name;
  return writeTarHeader(headerOf({ ...entry, name }, isFolder ? "5" : "2", isFolder ? mode : 0o777, mtimeMs, 0));
}

async function* fileBytes(entry: PackEntry): AsyncGenerator<Buffer> {
  const file = await open(entry.path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size, mode, mtimeMs } = await file.stat();
    yield writeTarHeader(headerOf(entry, "0", mode, mtimeMs, size));
    for (let at = 0; at < size;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(262_144), 0, Math.min(262_144, size - at), at);
      if (bytesRead === 0) throw new Error("it became shorter while it was read");
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    if (paddedSize(size) > size) yield Buffer.alloc(paddedSize(size) - size);
  } finally {
    await file.close();
  }
}

const headerOf = (entry: PackEntry, type: string, mode: number, mtimeMs: number, sizeBytes: number): TarHeader => ({
  name: entry.name,
  sizeBytes,
  mode: mode & 0o777,
  modifiedAtSeconds: mtimeMs / 1_000,
  type,
  linkName: entry.linkName,
});
