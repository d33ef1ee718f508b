// A hundred thousand points of one metric: how fast they come in, and how long statistics, data and math over all of them take.
// The same client on both sides (AWS SDK for JavaScript); the peer is moto_server, which keeps its points in memory.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CloudWatchClient,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  PutMetricDataCommand,
} from "@aws-sdk/client-cloudwatch";
import { motoName, startMoto } from "../moto.ts";
import { startBenchServer } from "../server.ts";
import type { Target } from "../sign.ts";
import { median, type BenchRow } from "../table.ts";

const ourPoints = 100_000;
const motoPoints = 10_000;
const batch = 1_000;
const rounds = 3;
const patienceSeconds = 60;
const Namespace = "bench";
const metric = { Namespace, MetricName: "loss" };

const clientOf = ({ host, port, accessKeyId, secretAccessKey }: Target): CloudWatchClient =>
  new CloudWatchClient({
    endpoint: `http://${host}:${port}`,
    region: "us-west-2",
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
    // The peer cannot read what is compressed.
    disableRequestCompression: true,
  });

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1_000;
}

interface Figures {
  readonly points: number;
  readonly pointsPerSecond: number;
  readonly statisticsMs: number;
  readonly dataMs: number;
  readonly mathMs: number | undefined;
}

/** One point a second, up to now. */
async function ingest(client: CloudWatchClient, count: number, startMs: number): Promise<number> {
  const took = await seconds(async () => {
    for (let base = 0; base < count; base += batch) {
      const MetricData = Array.from({ length: batch }, (_, at) => ({
        MetricName: "loss",
        Timestamp: new Date(startMs + (base + at) * 1_000),
        Value: (base + at) % 1_000,
        StorageResolution: 1,
      }));
      await client.send(new PutMetricDataCommand({ Namespace, MetricData }));
    }
  });
  return count / took;
}

async function medianMs(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(1_000 * (await seconds(work)));
  return median(times);
}

async function measure(target: Target, points: number, hasMath: boolean): Promise<Figures> {
  const client = clientOf(target);
  const endMs = Math.floor(Date.now() / 60_000) * 60_000;
  const startMs = endMs - points * 1_000;
  const times = { StartTime: new Date(startMs), EndTime: new Date(endMs) };
  const pointsPerSecond = await ingest(client, points, startMs);
  const stat = (Id: string, Stat: string) => ({ Id, MetricStat: { Metric: metric, Period: 60, Stat } });
  const statistics = { ...metric, ...times, Period: 300, Statistics: ["Average" as const, "Maximum" as const] };
  const math = [
    { ...stat("total", "Sum"), ReturnData: false },
    { ...stat("count", "SampleCount"), ReturnData: false },
    { Id: "mean", Expression: "FILL(total, 0) / count" },
    { Id: "rate", Expression: "RATE(total)" },
  ];
  const data = (MetricDataQueries: (typeof math)[number][] | ReturnType<typeof stat>[]) => async () => {
    const { MetricDataResults = [] } = await client.send(new GetMetricDataCommand({ ...times, MetricDataQueries }));
    const shortest = Math.min(...MetricDataResults.map(({ Values = [] }) => Values.length));
    if (!(shortest >= Math.floor(points / 60) - 1)) throw new Error(`${shortest} points instead of ${points / 60}`);
  };
  return {
    points,
    pointsPerSecond,
    statisticsMs: await medianMs(() => client.send(new GetMetricStatisticsCommand(statistics))),
    dataMs: await medianMs(data([stat("mean", "Average")])),
    mathMs: hasMath ? await medianMs(data(math)) : undefined,
  };
}

/** Undefined where it takes longer than anybody waits. */
function patiently(measuring: Promise<Figures>): Promise<Figures | undefined> {
  const tired = new Promise<undefined>((resolve) =>
    setTimeout(() => resolve(undefined), patienceSeconds * 1_000).unref(),
  );
  return Promise.race([measuring.catch(() => undefined), tired]);
}

function row(what: string, goalMs: number, ours: number, peer: number | undefined): BenchRow {
  return {
    what,
    ours: `${ours.toFixed(0)} ms`,
    peer: peer === undefined ? "—" : `${peer.toFixed(0)} ms (${motoName}, ${motoPoints.toLocaleString("en")} points)`,
    ratio: peer === undefined ? "" : `${(ours / peer).toFixed(2)}×`,
    goal: `≤ ${goalMs} ms`,
    isMet: ours <= goalMs,
  };
}

export async function run(): Promise<readonly BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "salvia-bench-"));
  const salvia = await startBenchServer(folder);
  const moto = await startMoto();
  try {
    const ours = await measure(salvia.target, ourPoints, true);
    const peer = await patiently(measure(moto.target, motoPoints, false));
    return [
      {
        what: `PutMetricData, ${batch.toLocaleString("en")} points a request`,
        ours: `${ours.pointsPerSecond.toFixed(0)} points/s`,
        peer: peer ? `${peer.pointsPerSecond.toFixed(0)} points/s (${motoName})` : "—",
        ratio: peer ? `${(ours.pointsPerSecond / peer.pointsPerSecond).toFixed(1)}×` : "",
        goal: "",
        isMet: undefined,
      },
      row("GetMetricStatistics over 100,000 points, by 5 minutes", 250, ours.statisticsMs, peer?.statisticsMs),
      row("GetMetricData over 100,000 points, by minute", 250, ours.dataMs, peer?.dataMs),
      row("the same with two expressions over two statistics", 500, ours.mathMs ?? Number.NaN, undefined),
    ];
  } finally {
    moto.stop();
    await salvia.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
