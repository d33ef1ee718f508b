// Reads a file through two buffers that take turns: one is read into while the other is used.
import type { FileHandle } from "node:fs/promises";
import { freeChunk } from "../../lib/lent-chunks.ts";

const bufferBytes = 512 * 1_024;

/** Bytes [start, end] of the file, each chunk good until the next one arrives. `close` is called at the end, however it comes. */
export async function* readLent(
  file: FileHandle,
  range: { readonly start: number; readonly end: number } | undefined,
  close: () => void,
): AsyncGenerator<Uint8Array> {
  let position = range?.start ?? 0;
  const end = range?.end ?? Number.POSITIVE_INFINITY;
  const length = Math.min(bufferBytes, end + 1 - position);
  const buffers: [Uint8Array, Uint8Array] = [Buffer.allocUnsafeSlow(length), Buffer.allocUnsafeSlow(length)];
  const read = async (buffer: Uint8Array): Promise<Uint8Array> => {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.byteLength, end + 1 - position), position);
    position += bytesRead;
    return buffer.subarray(0, bytesRead);
  };
  let next = read(buffers[0]);
  try {
    for (let turn = 1; ; turn++) {
      const chunk = await next;
      if (chunk.byteLength === 0) return;
      next = read(buffers[turn % 2 === 0 ? 0 : 1]);
      // Heard when it is awaited; unless nobody asks for it any more.
      next.catch(() => {});
      yield chunk;
    }
  } finally {
    // Neither the buffers nor the file may go while the kernel reads.
    await next.catch(() => {});
    close();
    buffers.forEach(freeChunk);
  }
}
