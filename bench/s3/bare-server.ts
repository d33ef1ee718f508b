// The peer of streams: plain node:http, a body to a new file with fsync, and a file to a body. No signature, no checksum, no row.
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

const folder = process.argv[2] ?? "";

async function keep(request: IncomingMessage, path: string): Promise<void> {
  const file = await open(path, "w");
  await pipeline(request, file.createWriteStream({ autoClose: false, highWaterMark: 1_048_576 }));
  await file.sync();
  await file.close();
}

const server = createServer({ requestTimeout: 0 }, (request, response) => {
  const path = join(folder, encodeURIComponent(request.url ?? ""));
  const work =
    request.method === "PUT"
      ? keep(request, path).then(() => void response.end())
      : pipeline(createReadStream(path, { highWaterMark: 262_144 }), response);
  work.catch((error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))));
});
server.listen(0, "127.0.0.1", () => {
  // A TCP server's address is an AddressInfo.
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
