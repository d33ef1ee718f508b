// Bytes that survive power loss: everything written is synced before anyone is told, and so is the folder that names it.
import { open, type FileHandle } from "node:fs/promises";
import { errorCode } from "../../lib/error-code.ts";
import { StorageFullError } from "../storage.ts";

/** Small chunks are gathered up to this before they reach the disk. */
const writeBytes = 1024 * 1024;

/**
 * Writes all of `source` at the end of `file` and returns how many bytes it gave. One write is on its way to the disk
 * while the next bytes are gathered, never more: a slow disk slows the source down.
 */
export async function appendAll(file: FileHandle, source: AsyncIterable<Uint8Array>): Promise<number> {
  let sizeBytes = 0;
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  let writing: Promise<void> = Promise.resolve();
  const flush = async (): Promise<void> => {
    await writing;
    writing = writeFully(file, gathered, gatheredBytes);
    // Awaited by the next flush at the latest; a failure in between must not count as unhandled.
    writing.catch(() => {});
    gathered = [];
    gatheredBytes = 0;
  };
  try {
    for await (const chunk of source) {
      sizeBytes += chunk.byteLength;
      gathered.push(chunk);
      gatheredBytes += chunk.byteLength;
      if (gatheredBytes >= writeBytes) await flush();
    }
    if (gatheredBytes > 0) await flush();
  } finally {
    // The file must not be closed under a write; its error, if any, is the one to report.
    await writing;
  }
  return sizeBytes;
}

/** Where they lie: a copy into one buffer would cost the garbage collector more than the disk. */
async function writeFully(file: FileHandle, chunks: readonly Uint8Array[], totalBytes: number): Promise<void> {
  let left = chunks;
  let leftBytes = totalBytes;
  while (leftBytes > 0) {
    const { bytesWritten } = await file.writev(left);
    leftBytes -= bytesWritten;
    if (leftBytes > 0) left = after(left, bytesWritten);
  }
}

/** What follows the first `bytes` bytes. */
function after(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skipped = 0;
  for (const [at, chunk] of chunks.entries()) {
    if (skipped + chunk.byteLength > bytes) return [chunk.subarray(bytes - skipped), ...chunks.slice(at + 1)];
    skipped += chunk.byteLength;
  }
  return [];
}

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export const isMissing = (error: unknown): boolean => errorCode(error) === "ENOENT";

/** The same failure in words for the person who runs Salvia. */
export function explained(error: unknown, folder: string): unknown {
  switch (errorCode(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return new StorageFullError(`The disk that holds ${folder} is full.`, { cause: error });
    case "EROFS":
      return new Error(`Salvia cannot store objects: ${folder} is on a read-only file system.`, { cause: error });
    case "EACCES":
    case "EPERM":
      return new Error(`Salvia cannot store objects: it may not write to ${folder}.`, { cause: error });
    case undefined:
    default:
      return error;
  }
}
