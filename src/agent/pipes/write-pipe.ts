// Writes a stream into an open FIFO through net.Socket, which waits for the reader without a thread.
import { Socket } from "node:net";
import { errorCode } from "../../lib/error-code.ts";

/** True when all was written; false when the reader left early, which ends its epoch and is its right. */
export async function writePipe(
  file: number,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<boolean> {
  const socket = new Socket({ fd: file, readable: false, writable: true });
  const state: { error?: unknown } = {};
  socket.on("error", (error) => (state.error ??= error));
  const stop = (): void => void socket.destroy();
  signal.addEventListener("abort", stop);
  try {
    for await (const chunk of source) {
      signal.throwIfAborted();
      if (!(await isWritten(socket, chunk, state))) return false;
    }
    await new Promise<void>((resolve) => socket.end(resolve));
    signal.throwIfAborted();
    return state.error === undefined;
  } finally {
    signal.removeEventListener("abort", stop);
    socket.destroy();
  }
}

/** Waits for the reader where the pipe is full. */
async function isWritten(socket: Socket, chunk: Uint8Array, state: { error?: unknown }): Promise<boolean> {
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
