// A load generator: keep-alive connections, one request in flight on each, until the time is up. Runs as its own process.
import { createConnection, type Socket } from "node:net";

export interface LoadResult {
  readonly perSecond: number;
  readonly answered: number;
  /** Answers with another status than 200. */
  readonly refused: number;
}

export interface LoadOptions {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Sent in turn; from the start again when `repeats`, else the load ends with the last one. */
  readonly requests: readonly Buffer[];
  readonly repeats: boolean;
}

const endOfHead = Buffer.from("\r\n\r\n");

/** Length of the first whole answer in `bytes`, or undefined. */
function answerLength(bytes: Buffer): number | undefined {
  const head = bytes.indexOf(endOfHead);
  if (head < 0) return undefined;
  const length = /content-length: *(\d+)/i.exec(bytes.subarray(0, head).toString("latin1"))?.[1];
  const total = head + endOfHead.length + Number(length ?? 0);
  return bytes.length >= total ? total : undefined;
}

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { host, port, requests } = options;
  let next = 0;
  let answered = 0;
  let refused = 0;
  const startedAt = performance.now();
  const until = startedAt + options.seconds * 1_000;
  const take = (): Buffer | undefined => {
    if (performance.now() >= until) return undefined;
    if (next >= requests.length && !options.repeats) return undefined;
    return requests[next++ % requests.length];
  };

  const connection = (): Promise<void> =>
    new Promise((resolve, reject) => {
      let socket: Socket;
      let pending = Buffer.alloc(0);
      const send = (): void => {
        const request = take();
        if (!request) {
          socket.destroy();
          resolve();
          return;
        }
        socket.write(request);
      };
      const connect = (): void => {
        pending = Buffer.alloc(0);
        socket = createConnection({ host, port, noDelay: true }, send);
        socket.on("data", (chunk) => {
          pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
          const length = answerLength(pending);
          if (length === undefined) return;
          if (pending.subarray(9, 12).toString() !== "200") refused++;
          answered++;
          const closes =
            /connection: *close/i.test(pending.subarray(0, length).toString("latin1")) ||
            pending.subarray(0, 8).toString() === "HTTP/1.0";
          pending = pending.subarray(length);
          if (!closes) send();
        });
        socket.once("error", reject);
        // A server without keep-alive: the next request takes a new connection.
        socket.once("end", () => connect());
      };
      connect();
    });

  await Promise.all(Array.from({ length: options.connections }, connection));
  return { perSecond: (answered * 1_000) / (performance.now() - startedAt), answered, refused };
}

if (import.meta.main) {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const { requests, ...options } = JSON.parse(Buffer.concat(chunks).toString()) as Omit<LoadOptions, "requests"> & {
    requests: string[];
  };
  const result = await runLoad({ ...options, requests: requests.map((request) => Buffer.from(request, "base64")) });
  process.stdout.write(JSON.stringify(result));
}
