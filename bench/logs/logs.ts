// A million log lines: how fast they come in, and how long who reads, filters and queries them waits. Beside moto_server, which
// keeps its lines in memory and cannot query, with a hundredth of the lines: more take it minutes.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { motoName, startMoto } from "../moto.ts";
import { startBenchServer } from "../server.ts";
import type { Target } from "../sign.ts";
import { median, type BenchRow } from "../table.ts";
import { logsCall } from "./logs-call.ts";

const ourLines = 1_000_000;
const motoLines = 10_000;
const batchLines = 5_000;
const patienceSeconds = 60;
const rounds = 3;
const group = { logGroupName: "/bench/requests" };
const stream = { ...group, logStreamName: "one" };
const goalMs = { query: 3_000, page: 100 };
/** Of every so many lines one is an error. */
const errorEvery = 10_000;

/** One line every 40 ms, as a server writes it. */
const lineAt = (at: number): string =>
  JSON.stringify({
    level: at % errorEvery === 0 ? "ERROR" : "INFO",
    path: `/items/${at % 97}`,
    status: at % 50 === 0 ? 500 : 200,
    ms: (at * 7_919) % 1_000,
  });

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1_000;
}

async function medianMs(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(1_000 * (await seconds(work)));
  return median(times);
}

/** Lines a second. */
async function ingest(target: Target, count: number, startedAt: number): Promise<number> {
  await logsCall(target, "CreateLogGroup", group);
  await logsCall(target, "CreateLogStream", stream);
  const took = await seconds(async () => {
    for (let base = 0; base < count; base += batchLines) {
      const logEvents = Array.from({ length: batchLines }, (_, at) => ({
        timestamp: startedAt + (base + at) * 40,
        message: lineAt(base + at),
      }));
      await logsCall(target, "PutLogEvents", { ...stream, logEvents });
    }
  });
  return count / took;
}

/** All errors, page by page, as a client's paginator reads them. */
async function filter(target: Target): Promise<number> {
  let [found, nextToken] = [0, undefined as string | undefined];
  do {
    const page = await logsCall(target, "FilterLogEvents", {
      ...group,
      filterPattern: "ERROR",
      ...(nextToken !== undefined && { nextToken }),
    });
    found += page.events?.length ?? 0;
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return found;
}

async function query(target: Target, queryString: string, startedAt: number): Promise<number> {
  const window = { startTime: Math.floor(startedAt / 1_000), endTime: Math.floor(Date.now() / 1_000) };
  const { queryId = "" } = await logsCall(target, "StartQuery", { ...group, ...window, queryString });
  for (;;) {
    const { status, statistics } = await logsCall(target, "GetQueryResults", { queryId });
    if (status === "Complete") return statistics?.recordsScanned ?? 0;
    if (status !== "Running" && status !== "Scheduled") throw new Error(`the query is ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function expectCount(count: Promise<number>, expected: number): Promise<void> {
  const found = await count;
  if (found !== expected) throw new Error(`${found} lines instead of ${expected}`);
}

interface Figures {
  readonly linesPerSecond: number;
  readonly filterMs: number;
  readonly headMs: number;
  readonly tailMs: number;
}

async function measure(target: Target, count: number, startedAt: number): Promise<Figures> {
  const linesPerSecond = await ingest(target, count, startedAt);
  return {
    linesPerSecond,
    filterMs: await medianMs(() => expectCount(filter(target), count / errorEvery)),
    headMs: await medianMs(() => logsCall(target, "GetLogEvents", { ...stream, startFromHead: true, limit: 1_000 })),
    tailMs: await medianMs(() => logsCall(target, "GetLogEvents", { ...stream, limit: 1_000 })),
  };
}

const queries: readonly (readonly [string, string])[] = [
  ["count by bin", "stats count(*) by bin(5m)"],
  [
    "filter, average and percentile of a JSON field by another",
    "filter level = 'INFO' | stats avg(ms), pct(ms, 99) by status",
  ],
  ["regular expression", "filter @message like /(?i)error/ | stats count(*)"],
];

export async function run(): Promise<readonly BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "salvia-logs-"));
  const salvia = await startBenchServer(folder);
  const moto = await startMoto();
  const startedAt = Date.now() - (ourLines + 1_000) * 40;
  try {
    const ours = await measure(salvia.target, ourLines, startedAt);
    const rows: BenchRow[] = [];
    for (const [what, text] of queries) {
      const ms = await medianMs(() => expectCount(query(salvia.target, text, startedAt), ourLines));
      rows.push(waited(`Insights, ${what}`, ms, goalMs.query));
    }
    process.stdout.write(`  Salvia is measured; ${motoName} takes a while\n`);
    const peer = await Promise.race([measure(moto.target, motoLines, startedAt), patience()]);
    return [
      {
        what: `PutLogEvents, ${batchLines} lines a request, one client`,
        ours: `${ours.linesPerSecond.toFixed(0)} lines/s`,
        peer: peer
          ? `${peer.linesPerSecond.toFixed(0)} lines/s (${motoName})`
          : `${motoName} gave up on: over ${patienceSeconds} s`,
        ratio: peer ? `${(ours.linesPerSecond / peer.linesPerSecond).toFixed(1)}×` : "",
        goal: "",
        isMet: undefined,
      },
      {
        ...waited("FilterLogEvents, all pages of one line in 10,000", ours.filterMs, goalMs.query),
        ...beside(ours.filterMs, peer?.filterMs),
      },
      {
        ...waited("GetLogEvents, 1,000 from the head", ours.headMs, goalMs.page),
        ...beside(ours.headMs, peer?.headMs),
      },
      {
        ...waited("GetLogEvents, 1,000 from the tail", ours.tailMs, goalMs.page),
        ...beside(ours.tailMs, peer?.tailMs),
      },
      ...rows,
    ];
  } finally {
    moto.stop();
    await salvia.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const waited = (what: string, ms: number, goal: number): BenchRow => ({
  what,
  ours: `${ms.toFixed(1)} ms`,
  peer: "",
  ratio: "",
  goal: `< ${goal} ms`,
  isMet: ms < goal,
});

/** The peer holds fewer lines: its figure is what it is. */
const beside = (ours: number, peer: number | undefined) =>
  peer === undefined
    ? {}
    : { peer: `${peer.toFixed(1)} ms over ${motoLines} lines`, ratio: `${(peer / ours).toFixed(1)}×` };

/** The peer may take without end. */
const patience = (): Promise<undefined> =>
  new Promise((resolve) => setTimeout(() => resolve(undefined), patienceSeconds * 1_000).unref());
