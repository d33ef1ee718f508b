// Inputs of a job: a Pipe channel into a FIFO beside `cat`, plain and wrapped as RecordIO.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { epochBytes } from "../../src/agent/pipes/epoch-bytes.ts";
import { openPipeFolder } from "../../src/agent/pipes/pipe-folder.ts";
import { writePipe } from "../../src/agent/pipes/write-pipe.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { PlannedChannel } from "../../src/task/channel-plan.ts";
import { median, type BenchRow } from "../table.ts";

const rounds = 5;
const megabytes = 500;
const never = new AbortController().signal;

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`ended with ${code}`))));
  });

const rate = (startedAt: number, amount: number): number => amount / ((performance.now() - startedAt) / 1_000);

/** A reader that throws everything away; resolves when its FIFO ends. */
const reader = (path: string): Promise<void> =>
  ended(spawn("/bin/sh", ["-c", `cat "$0" > /dev/null`, path], { stdio: "ignore" }));

async function pipeRate(root: string, file: string, name: string, isWrapped: boolean): Promise<number> {
  const folder = openPipeFolder(root);
  const objects = [{ path: "data", sizeBytes: megabytes * 1_000_000, source: { file }, isGzip: false }];
  const channel: PlannedChannel = { name, mode: "Pipe", objects, isWrapped };
  try {
    await folder.make(name);
    const startedAt = performance.now();
    const reading = reader(join(root, "input", "data", name));
    const opened = await folder.openForWriting(name, systemClock, never);
    await writePipe(
      opened,
      epochBytes(channel, 0, () => Promise.reject(new Error("a file is read"))),
      never,
    );
    await reading;
    return rate(startedAt, megabytes);
  } finally {
    folder.remove(name);
    folder.close();
  }
}

async function catRate(root: string, file: string): Promise<number> {
  const path = join(root, "input", "data", "cat");
  execFileSync("/bin/sh", ["-c", `mkfifo "$0"`, path]);
  const startedAt = performance.now();
  const reading = reader(path);
  await ended(spawn("/bin/sh", ["-c", `cat "$0" > "$1"`, file, path], { stdio: "ignore" }));
  await reading;
  const found = rate(startedAt, megabytes);
  rmSync(path);
  return found;
}

const perSecond = (value: number): string => `${value.toFixed(0)} MB/s`;

function row(what: string, own: number, peer: number, peerName: string, bar?: number): BenchRow {
  const ratio = own / peer;
  return {
    what,
    ours: perSecond(own),
    peer: `${perSecond(peer)} (${peerName})`,
    ratio: `${ratio.toFixed(2)}×`,
    goal: bar === undefined ? "" : `≥ ${bar}×`,
    isMet: bar === undefined ? undefined : ratio >= bar,
  };
}

export async function run(): Promise<readonly BenchRow[]> {
  const base = mkdtempSync(join(tmpdir(), "salvia-bench-inputs-"));
  try {
    mkdirSync(join(base, "input", "data"), { recursive: true });
    const file = join(base, "object");
    const part = randomBytes(1_000_000);
    writeFileSync(file, Buffer.concat(Array.from({ length: megabytes }, () => part)));
    const figures = { cat: [] as number[], plain: [] as number[], wrapped: [] as number[] };
    await catRate(base, file);
    for (let round = 0; round < rounds; round++) {
      figures.cat.push(await catRate(base, file));
      figures.plain.push(await pipeRate(base, file, "train_0", false));
      figures.wrapped.push(await pipeRate(base, file, "train_1", true));
    }
    const cat = median(figures.cat);
    return [
      row(`Pipe: ${megabytes} MB into a FIFO`, median(figures.plain), cat, "cat", 0.8),
      row("Pipe: the same, wrapped as RecordIO", median(figures.wrapped), cat, "cat", 0.6),
    ];
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}
