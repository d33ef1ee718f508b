// The registry beside a bare Node stream of the same bytes to disk with fsync: one layer pushed as docker does (POST, PATCH, PUT) and
// pulled again. Each push is of bytes that the registry does not have yet.
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { request, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBenchServer } from "../server.ts";
import { signedCall } from "./signed-call.ts";
import { benchImages } from "./images.ts";
import { median, type BenchRow } from "../table.ts";

const rounds = 5;
const bytes = 200 * 1_000_000;
const chunkBytes = 1_000_000;

interface Sent {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly receivedBytes: number;
}

/** One random chunk again and again: made as fast as it is sent. */
function layer(): { readonly chunks: () => Iterable<Buffer>; readonly digest: string } {
  const filling = randomBytes(chunkBytes);
  const chunks = function* (): Generator<Buffer> {
    for (let at = 0; at < bytes; at += chunkBytes) yield filling;
  };
  const hash = createHash("sha256");
  for (const chunk of chunks()) hash.update(chunk);
  return { chunks, digest: `sha256:${hash.digest("hex")}` };
}

function send(url: string, method: string, headers: Record<string, string>, body?: Iterable<Buffer>): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers }, (answer) => {
      let receivedBytes = 0;
      answer.on("data", (chunk: Buffer) => (receivedBytes += chunk.length));
      answer.once("error", reject);
      answer.once("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, receivedBytes }));
    });
    asked.once("error", reject);
    if (!body) return void asked.end();
    const chunks = body[Symbol.iterator]();
    const fill = (): void => {
      for (;;) {
        const { done, value } = chunks.next();
        if (done === true) return void asked.end();
        if (!asked.write(value)) return void asked.once("drain", fill);
      }
    };
    fill();
  });
}

const rate = (startedAt: number): number => bytes / 1_000_000 / ((performance.now() - startedAt) / 1_000);

function expectStatus({ status }: Sent, wanted: number): void {
  if (status !== wanted) throw new Error(`${status} where ${wanted} was expected`);
}

interface Place {
  readonly url: string;
  readonly authorization: string;
}

async function push({ url, authorization }: Place, { chunks, digest }: ReturnType<typeof layer>): Promise<number> {
  const startedAt = performance.now();
  const begun = await send(`${url}/v2/bench/blobs/uploads/`, "POST", { authorization, "content-length": "0" });
  expectStatus(begun, 202);
  const location = `${url}${begun.headers.location ?? ""}`;
  expectStatus(await send(location, "PATCH", { authorization, "transfer-encoding": "chunked" }, chunks()), 202);
  const end = `${location}?digest=${digest}`;
  expectStatus(await send(end, "PUT", { authorization, "content-length": "0" }), 201);
  return rate(startedAt);
}

async function pull({ url, authorization }: Place, digest: string): Promise<number> {
  const startedAt = performance.now();
  const got = await send(`${url}/v2/bench/blobs/${digest}`, "GET", { authorization });
  if (got.receivedBytes !== bytes) throw new Error(`${got.receivedBytes} bytes came back`);
  return rate(startedAt);
}

async function startBare(folder: string): Promise<{ readonly url: string; stop(): void }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "..", "s3", "bare-server.ts"), folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const port = await new Promise<number>((resolve) =>
    child.stdout.once("data", (line: Buffer) => resolve(Number(line))),
  );
  return { url: `http://127.0.0.1:${port}`, stop: () => child.kill("SIGKILL") };
}

interface Figures {
  readonly ours: number[];
  readonly peer: number[];
}

function row(what: string, { ours, peer }: Figures, peerName: string, atLeast: number): BenchRow {
  const ratio = median(ours.map((value, at) => value / (peer[at] ?? Number.NaN)));
  return {
    what,
    ours: `${median(ours).toFixed(0)} MB/s`,
    peer: `${median(peer).toFixed(0)} MB/s (${peerName})`,
    ratio: `${ratio.toFixed(2)}×`,
    goal: `≥ ${atLeast}×`,
    isMet: ratio >= atLeast,
  };
}

export async function run(): Promise<readonly BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "salvia-bench-"));
  const bareFolder = mkdtempSync(join(tmpdir(), "salvia-bench-bare-"));
  const salvia = await startBenchServer(folder);
  const bare = await startBare(bareFolder);
  const pushed: Figures = { ours: [], peer: [] };
  const pulled: Figures = { ours: [], peer: [] };
  try {
    await signedCall(salvia.target, "CreateRepository", { repositoryName: "bench" });
    const token = await signedCall(salvia.target, "GetAuthorizationToken", {});
    const authorization = `Basic ${/"authorizationToken": ?"([^"]+)"/.exec(token)?.[1]}`;
    const place = { url: salvia.url, authorization };
    for (let round = 0; round < rounds; round++) {
      const content = layer();
      const startedAt = performance.now();
      expectStatus(
        await send(`${bare.url}/${round}`, "PUT", { "transfer-encoding": "chunked" }, content.chunks()),
        200,
      );
      pushed.peer.push(rate(startedAt));
      pushed.ours.push(await push(place, content));
      const readAt = performance.now();
      await send(`${bare.url}/${round}`, "GET", {});
      pulled.peer.push(rate(readAt));
      pulled.ours.push(await pull(place, content.digest));
    }
    const megabytes = bytes / 1_000_000;
    const images = await benchImages();
    if (typeof images === "string") process.stdout.write(`images skipped: ${images}\n`);
    return [
      row(`push a layer of ${megabytes} MB, digest counted and checked`, pushed, "bare stream, fsync", 0.5),
      row("pull it", pulled, "bare stream", 0.7),
      ...(typeof images === "string" ? [] : images),
    ];
  } finally {
    bare.stop();
    await salvia.stop();
    rmSync(folder, { recursive: true, force: true });
    rmSync(bareFolder, { recursive: true, force: true });
  }
}
