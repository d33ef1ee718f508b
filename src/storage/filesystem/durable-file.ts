// Bytes that survive power loss: everything written is synced before anyone is told, and so is the folder that names it.
import { open, type FileHandle } from "node:fs/promises";
import { errorCode } from "../../lib/error-code.ts";
import { StorageFullError } from "../storage.ts";
import { blockBytes, type BlockPool } from "./block-pool.ts";

/**
 * Writes all of `source` at the end of `file` and returns how many bytes it gave; its chunks may be lent. One block is on
 * its way to the disk while the next is filled, never more: a slow disk slows the source down.
 */
export async function appendAll(
  file: FileHandle,
  source: AsyncIterable<Uint8Array>,
  blocks: BlockPool,
): Promise<number> {
  let sizeBytes = 0;
  let filling = new Block(blocks.take());
  let writing: Promise<Block | undefined> = Promise.resolve(undefined);
  const flush = async (): Promise<void> => {
    const empty = (await writing) ?? new Block(blocks.take());
    writing = filling.writeTo(file);
    // Awaited by the next flush at the latest; a failure in between must not count as unhandled.
    writing.catch(() => {});
    filling = empty;
  };
  try {
    for await (const chunk of source) {
      sizeBytes += chunk.byteLength;
      for (let at = 0; at < chunk.byteLength;) {
        at += filling.add(chunk.subarray(at));
        if (filling.isFull) await flush();
      }
    }
    await flush();
  } finally {
    // The file must not be closed under a write; its error, if any, is the one to report.
    const written = await writing;
    for (const block of [filling, written]) if (block) blocks.giveBack(block.bytes);
  }
  return sizeBytes;
}

class Block {
  readonly bytes: Uint8Array;
  #filledBytes = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get isFull(): boolean {
    return this.#filledBytes === blockBytes;
  }

  /** How many of the bytes found room. */
  add(bytes: Uint8Array): number {
    const part = bytes.subarray(0, blockBytes - this.#filledBytes);
    this.bytes.set(part, this.#filledBytes);
    this.#filledBytes += part.byteLength;
    return part.byteLength;
  }

  /** Resolves to the block itself, empty again. */
  async writeTo(file: FileHandle): Promise<this> {
    for (let at = 0; at < this.#filledBytes;) {
      const { bytesWritten } = await file.write(this.bytes, at, this.#filledBytes - at);
      at += bytesWritten;
    }
    this.#filledBytes = 0;
    return this;
  }
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
