// S3 beside moto_server (small objects, listings) and beside a bare Node stream to disk with fsync (large bodies).
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load } from "../load-process.ts";
import { motoName, startMoto } from "../moto.ts";
import { startBenchServer } from "../server.ts";
import { signedS3Request, type S3Call, type Target } from "../sign.ts";
import { median, type BenchRow } from "../table.ts";
import { stream } from "./stream.ts";

const rounds = 5;
const clients = 16;
const seconds = 4;
const largeBytes = 100 * 1_000_000;
const manyKeys = 100_000;
const motoKeys = 5_000;
const partBytes = 64 * 1_048_576;
const partCount = 80;

interface Peer {
  readonly target: Pick<Target, "host" | "port">;
  stop(): void;
}

async function startBare(folder: string): Promise<Peer> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "bare-server.ts"), folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const port = await new Promise<number>((resolve) =>
    child.stdout.once("data", (line: Buffer) => resolve(Number(line))),
  );
  return { target: { host: "127.0.0.1", port }, stop: () => child.kill("SIGKILL") };
}

const head = (target: Target, call: S3Call): Buffer => signedS3Request(target, call, new Date());
const once = (target: Target, call: S3Call) => stream(target, head(target, call), 0);

interface Figures {
  readonly ours: number[];
  readonly peer: number[];
}
const figures = (): Figures => ({ ours: [], peer: [] });

async function smallObjects(salvia: Target, moto: Target): Promise<readonly BenchRow[]> {
  const put = figures();
  const get = figures();
  const body = Buffer.alloc(1_024, "x");
  for (let round = 0; round < rounds; round++) {
    for (const [who, target] of [["ours", salvia] as const, ["peer", moto] as const]) {
      const count = who === "ours" ? 40_000 : 4_000;
      const keys = Array.from({ length: count }, (_, at) => `/bench/small/${round}/${at}`);
      const puts = keys.map((path) => signedS3Request(target, { method: "PUT", path, body }, new Date()));
      put[who].push(load({ target, requests: puts, repeats: false, connections: clients, seconds }).perSecond);
      const gets = keys.slice(0, 500).map((path) => signedS3Request(target, { method: "GET", path }, new Date()));
      get[who].push(load({ target, requests: gets, repeats: true, connections: clients, seconds }).perSecond);
    }
  }
  return [
    row(`PUT 1 KB, ${clients} clients`, put, { unit: "/s", peer: motoName, atLeast: 10 }),
    row(`GET 1 KB, ${clients} clients`, get, { unit: "/s", peer: motoName }),
  ];
}

async function largeObjects(salvia: Target, bare: Peer): Promise<readonly BenchRow[]> {
  const put = figures();
  const get = figures();
  const rate = (taken: number): number => largeBytes / 1_000_000 / taken;
  const path = "/bench/large";
  for (let round = 0; round < rounds; round++) {
    // A new file each time, as a new object is: rewriting one would give the peer pages that the kernel has at hand.
    const file = `${path}-${round}`;
    const bareHead = Buffer.from(`PUT ${file} HTTP/1.1\r\nhost: x\r\ncontent-length: ${largeBytes}\r\n\r\n`);
    put.peer.push(rate((await stream(bare.target, bareHead, largeBytes)).seconds));
    const ours = head(salvia, { method: "PUT", path, streamedBytes: largeBytes });
    put.ours.push(rate((await stream(salvia, ours, largeBytes)).seconds));
    const bareGet = Buffer.from(`GET ${file} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    get.peer.push(rate((await stream(bare.target, bareGet, 0)).seconds));
    get.ours.push(rate((await once(salvia, { method: "GET", path })).seconds));
  }
  return [
    row("PUT 100 MB", put, { unit: "MB/s", peer: "bare stream, fsync", atLeast: 0.7 }),
    row("GET 100 MB", get, { unit: "MB/s", peer: "bare stream", atLeast: 0.7 }),
  ];
}

/** Keys in the listing, page by page, and the milliseconds of a page. */
async function listAll(target: Target): Promise<{ readonly keys: number; readonly msPerPage: number }> {
  let keys = 0;
  let pages = 0;
  let token: string | undefined;
  const startedAt = performance.now();
  do {
    const query = `${token === undefined ? "" : `continuation-token=${encodeURIComponent(token)}&`}list-type=2&prefix=many%2F`;
    const { body } = await fetchText(target, { method: "GET", path: "/bench", query });
    keys += body.split("<Key>").length - 1;
    token = /<NextContinuationToken>([^<]+)</.exec(body)?.[1];
    pages++;
  } while (token !== undefined);
  return { keys, msPerPage: (performance.now() - startedAt) / pages };
}

async function fetchText(target: Target, call: S3Call): Promise<{ readonly body: string }> {
  const request = head(target, call).toString("latin1").split("\r\n");
  const headers = Object.fromEntries(
    request
      .slice(1)
      .filter((line) => line.includes(": "))
      .map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]),
  );
  const { host: _, connection: __, ...sent } = headers;
  const url = `http://${target.host}:${target.port}${call.path}${call.query === undefined ? "" : `?${call.query}`}`;
  const answer = await fetch(url, { method: call.method, headers: sent });
  const body = await answer.text();
  if (!answer.ok) throw new Error(body);
  return { body };
}

async function listings(salvia: Target, moto: Target): Promise<BenchRow> {
  for (const [target, count] of [[salvia, manyKeys] as const, [moto, motoKeys] as const]) {
    const puts = Array.from({ length: count }, (_, at) =>
      signedS3Request(target, { method: "PUT", path: `/bench/many/${at}`, body: Buffer.from("x") }, new Date()),
    );
    load({ target, requests: puts, repeats: false, connections: clients, seconds: 120 });
  }
  const ours = await listAll(salvia);
  const peer = await listAll(moto);
  if (ours.keys !== manyKeys) throw new Error(`${ours.keys} of ${manyKeys} keys were listed`);
  return {
    what: `listing, a page of 1,000 of ${manyKeys.toLocaleString("en")} keys`,
    ours: `${ours.msPerPage.toFixed(1)} ms`,
    peer: `${peer.msPerPage.toFixed(1)} ms (${motoName}, ${peer.keys.toLocaleString("en")} keys)`,
    ratio: `${(ours.msPerPage / peer.msPerPage).toFixed(2)}×`,
    goal: "",
    isMet: undefined,
  };
}

const peakMegabytes = (pid: number): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;

async function multipart(salvia: Target, bare: Peer, pid: number): Promise<BenchRow> {
  const bytes = partBytes * partCount;
  const path = "/bench/multipart";
  const bareHead = Buffer.from(`PUT ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${bytes}\r\n\r\n`);
  const peerSeconds = (await stream(bare.target, bareHead, bytes)).seconds;
  const startedAt = performance.now();
  const started = await fetchText(salvia, { method: "POST", path, query: "uploads=" });
  const id = /<UploadId>([^<]+)</.exec(started.body)?.[1] ?? "";
  const parts: string[] = [];
  for (let number = 1; number <= partCount; number++) {
    const query = `partNumber=${number}&uploadId=${id}`;
    const call = { method: "PUT", path, query, streamedBytes: partBytes };
    const { answer } = await stream(salvia, head(salvia, call), partBytes);
    const eTag = /etag: *(\S+)/i.exec(answer)?.[1] ?? "";
    parts.push(`<Part><PartNumber>${number}</PartNumber><ETag>${eTag.replaceAll('"', "&quot;")}</ETag></Part>`);
  }
  const body = Buffer.from(`<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`);
  const { answer } = await once(salvia, { method: "POST", path, query: `uploadId=${id}`, body });
  if (!answer.includes("<ETag>")) throw new Error(answer);
  const oursSeconds = (performance.now() - startedAt) / 1_000;
  const rate = (taken: number): string => `${(bytes / 1_000_000 / taken).toFixed(0)} MB/s`;
  return {
    what: `5 GB in ${partCount} parts, one after the other (peak memory of the server ${peakMegabytes(pid).toFixed(0)} MB)`,
    ours: rate(oursSeconds),
    peer: `${rate(peerSeconds)} (bare stream, fsync)`,
    ratio: `${(peerSeconds / oursSeconds).toFixed(2)}×`,
    goal: "",
    isMet: undefined,
  };
}

interface RowOptions {
  readonly unit: string;
  readonly peer: string;
  readonly atLeast?: number;
}

function row(what: string, { ours, peer }: Figures, { unit, peer: name, atLeast }: RowOptions): BenchRow {
  const ratio = median(ours.map((value, at) => value / (peer[at] ?? Number.NaN)));
  return {
    what,
    ours: `${median(ours).toFixed(0)} ${unit}`,
    peer: `${median(peer).toFixed(0)} ${unit} (${name})`,
    ratio: `${ratio.toFixed(ratio < 3 ? 2 : 1)}×`,
    goal: atLeast === undefined ? "" : `≥ ${atLeast}×`,
    isMet: atLeast === undefined ? undefined : ratio >= atLeast,
  };
}

export async function run(): Promise<readonly BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "salvia-bench-"));
  const bareFolder = mkdtempSync(join(tmpdir(), "salvia-bench-bare-"));
  const salvia = await startBenchServer(folder);
  const moto = await startMoto();
  const bare = await startBare(bareFolder);
  try {
    for (const target of [salvia.target, moto.target]) {
      const body = Buffer.from(
        "<CreateBucketConfiguration><LocationConstraint>us-west-2</LocationConstraint></CreateBucketConfiguration>",
      );
      await once(target, { method: "PUT", path: "/bench", body });
    }
    return [
      ...(await largeObjects(salvia.target, bare)),
      ...(await smallObjects(salvia.target, moto.target)),
      await listings(salvia.target, moto.target),
      await multipart(salvia.target, bare, salvia.pid),
    ];
  } finally {
    moto.stop();
    bare.stop();
    await salvia.stop();
    rmSync(folder, { recursive: true, force: true });
    rmSync(bareFolder, { recursive: true, force: true });
  }
}
