// Sends or takes one large body over a socket, without holding more of it than a chunk.
import { createConnection } from "node:net";
import type { Target } from "../sign.ts";

const chunk = Buffer.alloc(1_048_576, "0123456789abcdef");

export interface Streamed {
  readonly seconds: number;
  /** Head of the answer, and its body where it is short. */
  readonly answer: string;
}

/** `head` is sent, then `sentBytes` of body; resolves when the whole answer is here. Rejects unless it is 200. */
export function stream(target: Pick<Target, "host" | "port">, head: Buffer, sentBytes: number): Promise<Streamed> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const socket = createConnection({ host: target.host, port: target.port, noDelay: true });
    let left = sentBytes;
    const fill = (): void => {
      while (left > 0) {
        const part = left >= chunk.length ? chunk : chunk.subarray(0, left);
        left -= part.length;
        if (!socket.write(part)) return;
      }
    };
    let start = Buffer.alloc(0);
    let total: number | undefined;
    let taken = 0;
    socket.on("data", (bytes: Buffer) => {
      taken += bytes.length;
      if (start.length < 65_536) start = Buffer.concat([start, bytes.subarray(0, 65_536)]);
      total ??= answerBytes(start, taken);
      if (total === undefined || taken < total) return;
      socket.destroy();
      const answer = start.toString("latin1");
      if (answer.startsWith("HTTP/1.1 200")) resolve({ seconds: (performance.now() - startedAt) / 1_000, answer });
      else reject(new Error(answer.slice(0, 500)));
    });
    socket.on("drain", fill);
    socket.once("error", reject);
    socket.setTimeout(60_000, () => {
      socket.destroy();
      reject(new Error(`no answer within a minute; so far: ${start.toString("latin1").slice(0, 500)}`));
    });
    // A server that closes after its answer.
    socket.once("end", () => {
      if (total === undefined) resolve({ seconds: (performance.now() - startedAt) / 1_000, answer: start.toString() });
    });
    socket.write(head);
    fill();
  });
}

/** Bytes of the whole answer, once its head (or, where it comes in chunks, its last chunk) is in `start`. */
function answerBytes(start: Buffer, taken: number): number | undefined {
  const head = start.indexOf("\r\n\r\n");
  if (head < 0) return undefined;
  const text = start.subarray(0, head).toString("latin1");
  const length = /content-length: *(\d+)/i.exec(text)?.[1];
  if (length !== undefined) return head + 4 + Number(length);
  if (!/transfer-encoding: *chunked/i.test(text)) return head + 4;
  return start.subarray(-5).toString() === "0\r\n\r\n" ? taken : undefined;
}
