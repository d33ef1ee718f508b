// Writes an epoch through net.Socket, which waits for the reader without a thread.
import { createReadStream } from "node:fs";
import { Socket } from "node:net";
import { errorCode } from "../../lib/error-code.ts";
import { cutShort, type EpochPart, type FilePart } from "./epoch-parts.ts";
import type { PipeWriter } from "./pipe-writer.ts";

const chunkBytes = 1_048_576;

export const socketWriter: PipeWriter = {
  async write(pipe, parts, signal) {
    const socket = new Socket({ fd: pipe, readable: false, writable: true });
    const state: { error?: unknown } = {};
    socket.on("error", (error) => (state.error ??= error));
    const stop = (): void => void socket.destroy();
    signal.addEventListener("abort", stop);
    try {
      for await (const chunk of chunksOf(parts)) {
        const isOpen = await isTaken(socket, chunk, state);
        signal.throwIfAborted();
        if (!isOpen) return false;
      }
      await new Promise<void>((resolve) => socket.end(resolve));
      signal.throwIfAborted();
      return state.error === undefined;
    } finally {
      signal.removeEventListener("abort", stop);
      socket.destroy();
    }
  },
  close: () => undefined,
};

async function* chunksOf(parts: AsyncIterable<EpochPart>): AsyncGenerator<Uint8Array> {
  for await (const part of parts)
    if ("file" in part) yield* contentOf(part);
    else yield part;
}

async function* contentOf(part: FilePart): AsyncGenerator<Uint8Array> {
  if (part.sizeBytes === 0) return;
  let left = part.sizeBytes;
  for await (const chunk of createReadStream(part.file, { highWaterMark: chunkBytes, end: part.sizeBytes - 1 })) {
    left -= (chunk as Uint8Array).length;
    yield chunk as Uint8Array;
  }
  if (left > 0) throw cutShort(part);
}

/** Waits for the reader where the pipe is full. */
async function isTaken(socket: Socket, chunk: Uint8Array, state: { readonly error?: unknown }): Promise<boolean> {
  if (!socket.write(chunk) && !socket.destroyed)
    await new Promise<void>((resolve) => {
      const done = (): void => {
        socket.off("drain", done).off("close", done);
        resolve();
      };
      socket.on("drain", done).on("close", done);
    });
  if (state.error !== undefined && errorCode(state.error) !== "EPIPE") throw state.error;
  return state.error === undefined && !socket.destroyed;
}
