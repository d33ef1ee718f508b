// Inputs of a job: a Pipe channel into a FIFO beside `cat`, plain and wrapped as RecordIO.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { epochParts } from "../../src/agent/pipes/epoch-parts.ts";
import { openPipeFolder } from "../../src/agent/pipes/pipe-folder.ts";
import { pipeWriterFor } from "../../src/agent/pipes/pipe-writer.ts";
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

async function pipeRate(root: string, files: readonly string[], name: string, isWrapped: boolean): Promise<number> {
  const folder = openPipeFolder(root, "input/data");
  const sizeBytes = (megabytes * 1_000_000) / files.length;
  const objects = files.map((file) => ({ path: file, sizeBytes, source: { file }, isGzip: false }));
  const channel: PlannedChannel = { name, mode: "Pipe", objects, isWrapped };
  try {
    await folder.make(name);
    const startedAt = performance.now();
    const reading = reader(join(root, "input", "data", name));
    const opened = await folder.openForWriting(name, systemClock, never);
    const sources = {
      open: (): Promise<never> => Promise.reject(new Error("a file is read")),
      small: () => ({ take: async () => undefined }),
    };
    const writer = pipeWriterFor(channel);
    await writer.write(opened, epochParts(channel, 0, sources), never).finally(() => writer.close());
    await reading;
    return rate(startedAt, megabytes);
  } finally {
    folder.remove(name);
    folder.close();
  }
}

async function catRate(root: string, files: readonly string[]): Promise<number> {
  const path = join(root, "input", "data", "cat");
  execFileSync("/bin/sh", ["-c", `mkfifo "$0"`, path]);
  const startedAt = performance.now();
  const reading = reader(path);
  await ended(spawn("/bin/sh", ["-c", `cat "$@" > "$0"`, path, ...files], { stdio: "ignore" }));
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

function writeObjects(base: string, count: number, part: Buffer): readonly string[] {
  const content = Buffer.concat(Array.from({ length: megabytes / count }, () => part));
  return Array.from({ length: count }, (_, index) => {
    const file = join(base, `object-${count}-${index}`);
    writeFileSync(file, content);
    return file;
  });
}

export async function run(): Promise<readonly BenchRow[]> {
  const base = mkdtempSync(join(tmpdir(), "salvia-bench-inputs-"));
  try {
    mkdirSync(join(base, "input", "data"), { recursive: true });
    const part = randomBytes(1_000_000);
    const rows: BenchRow[] = [];
    for (const count of [1, 500]) {
      const files = writeObjects(base, count, part);
      const figures = { cat: [] as number[], plain: [] as number[], wrapped: [] as number[] };
      await catRate(base, files);
      for (let round = 0; round < rounds; round++) {
        figures.cat.push(await catRate(base, files));
        figures.plain.push(await pipeRate(base, files, "train_0", false));
        figures.wrapped.push(await pipeRate(base, files, "train_1", true));
      }
      const cat = median(figures.cat);
      const what = `Pipe: ${megabytes} MB in ${count === 1 ? "1 object" : `${count} objects`}`;
      rows.push(
        row(`${what} into a FIFO`, median(figures.plain), cat, "cat", 0.8),
        row(`${what}, wrapped as RecordIO`, median(figures.wrapped), cat, "cat", 0.6),
      );
    }
    return rows;
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}
