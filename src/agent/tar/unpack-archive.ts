// Unpacks somebody's tar.gz into a folder: nothing may lie, or point, outside it.
import { createWriteStream } from "node:fs";
import { lstat, mkdir, rm, symlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { volumeText } from "../disk-use.ts";
import { safeParts, StageError } from "../planned-path.ts";
import { readTar, type TarEntry } from "./read-tar.ts";
import { TarError } from "./tar-header.ts";

/** Its files are more than was allowed. */
export class TooLargeError extends StageError {}

export interface UnpackOptions {
  /** For messages. */
  readonly name: string;
  readonly signal: AbortSignal;
  /** Bytes of all files together. */
  readonly mostBytes?: number;
  readonly mostEntries?: number;
}

const defaultMostBytes = 64 * 1_024 ** 3;
const defaultMostEntries = 1_000_000;

/** Throws StageError, with a text for the user, for what is no archive or tries to leave the folder; an error of the source goes through. */
export async function unpackTarGz(source: Readable, folder: string, options: UnpackOptions): Promise<void> {
  const mostBytes = Math.min(options.mostBytes ?? defaultMostBytes, defaultMostBytes);
  const limits = {
    mostBytes,
    bytesLeft: mostBytes,
    entriesLeft: options.mostEntries ?? defaultMostEntries,
  };
  // The compressed source's own trouble must not look like a broken archive.
  let sourceError: unknown;
  source.on("error", (error) => {
    // What went wrong here comes back through the source, too.
    if (!(error instanceof StageError || error instanceof TarError)) sourceError = error;
  });
  try {
    await pipeline(
      source,
      createGunzip(),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const entry of readTar(chunks)) await unpackEntry(entry, folder, limits);
      },
      { signal: options.signal },
    );
  } catch (error) {
    if (sourceError || options.signal.aborted || !(error instanceof Error)) throw error;
    throw forTheUser(error, options.name);
  }
}

function forTheUser(error: Error, name: string): Error {
  const isBroken = error instanceof TarError || ("code" in error && String(error.code).startsWith("Z_"));
  if (!isBroken && !(error instanceof StageError)) return error;
  const why = isBroken ? `not a tar.gz archive (${error.message})` : error.message;
  const Kind = error instanceof TooLargeError ? TooLargeError : StageError;
  return new Kind(`The archive ${name} cannot be unpacked: ${why}`);
}

interface Limits {
  readonly mostBytes: number;
  bytesLeft: number;
  entriesLeft: number;
}

async function unpackEntry(entry: TarEntry, folder: string, limits: Limits): Promise<void> {
  const { header } = entry;
  const parts = header.name.split("/").filter((part) => part !== "" && part !== ".");
  // The folder itself: "./" of tar, "/" of the SageMaker SDK, which packs models with their scripts this way.
  if (parts.length === 0) return;
  if (header.name.startsWith("/")) throw new StageError(`${JSON.stringify(header.name)} is an absolute path`);
  const path = safeParts(parts.join("/")).join("/");
  if (--limits.entriesLeft < 0) throw new StageError("it has too many entries");
  const to = join(folder, path);
  switch (header.type) {
    case "0":
    case "7":
      await ensureFolder(folder, parts.slice(0, -1));
      return unpackFile(entry, to, limits);
    case "5":
      return ensureFolder(folder, parts);
    case "2":
      checkLink(path, header.linkName);
      await ensureFolder(folder, parts.slice(0, -1));
      await rm(to, { force: true });
      return symlink(header.linkName, to);
    default:
      throw new StageError(
        `${JSON.stringify(path)} is ${typeNames[header.type] ?? `of the unknown type ${header.type}`}`,
      );
  }
}

const typeNames: Readonly<Record<string, string>> = {
  "1": "a hard link, which is not supported",
  "3": "a device",
  "4": "a device",
  "6": "a FIFO",
};

async function unpackFile({ header, body }: TarEntry, to: string, limits: Limits): Promise<void> {
  limits.bytesLeft -= header.sizeBytes;
  if (limits.bytesLeft < 0)
    throw new TooLargeError(`its files are larger than allowed: more than ${volumeText(limits.mostBytes)}`);
  await rm(to, { force: true });
  // A new file, never through a link that an earlier entry made.
  await pipeline(Readable.from(body), createWriteStream(to, { flags: "wx", mode: (header.mode & 0o777) | 0o600 }));
}

function checkLink(path: string, target: string): void {
  const reached = posix.normalize(posix.join(posix.dirname(path), target));
  if (target === "" || target.startsWith("/") || reached === ".." || reached.startsWith("../") || target.includes("\0"))
    throw new StageError(`the link ${JSON.stringify(path)} leaves the folder`);
}

/** Makes the folders; refuses to walk through a link or a file. */
async function ensureFolder(folder: string, parts: readonly string[]): Promise<void> {
  let at = folder;
  for (const part of parts) {
    at = join(at, part);
    const found = await lstat(at).catch(() => undefined);
    if (!found) await mkdir(at);
    else if (!found.isDirectory())
      throw new StageError(`${JSON.stringify(parts.join("/"))} is needed as a folder, and is none`);
  }
}
