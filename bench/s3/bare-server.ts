// The peer of streams: plain node:http, a body to a new file with fsync, and a file to a body. No signature, no checksum, no row.
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

const folder = process.argv[2] ?? "";

/** `flush` is fsync before the file is closed. */
const keep = (request: IncomingMessage, path: string): Promise<void> =>
  pipeline(request, createWriteStream(path, { flush: true, highWaterMark: 1_048_576 }));

async function send(path: string, response: ServerResponse): Promise<void> {
  response.setHeader("content-length", (await stat(path)).size);
  await pipeline(createReadStream(path, { highWaterMark: 262_144 }), response);
}

const server = createServer({ requestTimeout: 0 }, (request, response) => {
  const path = join(folder, encodeURIComponent(request.url ?? ""));
  const work = request.method === "PUT" ? keep(request, path).then(() => void response.end()) : send(path, response);
  work.catch((error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))));
});
server.listen(0, "127.0.0.1", () => {
  // A TCP server's address is an AddressInfo.
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
