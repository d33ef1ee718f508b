// What a task's files take on the disk, and what they may take: its volume, where it has one.
import { statfsSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "../lib/error-code.ts";

/** Beyond so many entries a walk takes too long to be repeated: what was found until then counts. */
const mostEntries = 200_000;
const blockBytes = 512;

/** Files come and go meanwhile, and a program may close its folders to others. */
const isHidden = (error: unknown): boolean => ["ENOENT", "ENOTDIR", "EACCES"].includes(errorCode(error) ?? "");

const orHidden = async <T>(looking: Promise<T>): Promise<T | undefined> => {
  try {
    return await looking;
  } catch (error) {
    if (isHidden(error)) return undefined;
    throw error;
  }
};

/** Bytes on the disk of everything below the folder, without what lies in `left`: holes take none, links are not followed. */
export async function folderBytes(folder: string, left?: string): Promise<number> {
  const folders = [folder];
  let bytes = 0;
  let entriesLeft = mostEntries;
  for (let at = folders.pop(); at !== undefined && entriesLeft > 0; at = folders.pop()) {
    const entries = (await orHidden(readdir(at, { withFileTypes: true }))) ?? [];
    for (const entry of entries.slice(0, entriesLeft)) {
      const path = join(at, entry.name);
      if (path === left) continue;
      if (entry.isDirectory()) folders.push(path);
      bytes += ((await orHidden(lstat(path)))?.blocks ?? 0) * blockBytes;
    }
    entriesLeft -= entries.length;
  }
  return bytes;
}

/** Of the task's volume; without one, of the disk that the folder lies on. */
export function volumePercent(folder: string, usedBytes: number, volumeBytes: number | undefined): number {
  if (volumeBytes !== undefined) return (usedBytes / volumeBytes) * 100;
  const { blocks, bsize } = statfsSync(folder);
  return (usedBytes / (blocks * bsize)) * 100;
}

/** "1.5 GB", "2 GB", "300 MB": gigabytes of a volume have 2^30 bytes. */
export const volumeText = (bytes: number): string =>
  bytes >= 2 ** 30 ? `${Number((bytes / 2 ** 30).toFixed(1))} GB` : `${Math.ceil(bytes / 2 ** 20)} MB`;
