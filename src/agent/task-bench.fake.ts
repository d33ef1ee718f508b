// A bench for tests of whole tasks: a server, a process backend on a fresh folder, and what they leave behind.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { ComputeBackend } from "../compute/backend.ts";
import { createProcessBackend } from "../compute/process/process-backend.ts";
import { systemClock } from "../lib/clock.ts";
import { silentLog } from "../lib/log.ts";
import { isRunning, listProcesses, signalProcess, type ProcessIdentity } from "../lib/process-identity.ts";
import { systemRandom } from "../lib/random.ts";
import { readOwnJson, readWaiter, taskPaths, type TaskPaths } from "../task/task-folder.ts";
import type { TaskSpec } from "../task/task.ts";
import { startTaskServer, type FakeTaskServer } from "./task-server.fake.ts";

export interface TaskBench {
  readonly folder: string;
  readonly server: FakeTaskServer;
  readonly backend: ComputeBackend;
  readonly key: string;
  readonly paths: () => TaskPaths;
  /** A node program given by its source. */
  spec(source: string, more?: Partial<TaskSpec>): TaskSpec;
  start(source: string, more?: Partial<TaskSpec>): Promise<void>;
  untilEnd(): Promise<void>;
  untilLine(text: string): Promise<void>;
  /** kill -9, without waiting for anything; false when no agent ran. */
  killAgent(): boolean;
  killWaiter(): void;
  /** Processes of this task, by the mark in their environment. */
  readonly processes: () => number[];
}

const agentEntry = join(import.meta.dirname, "agent-entry.fake.ts");

const ground = {
  entry: [process.execPath, agentEntry],
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  usesNamespaces: false,
};

export interface BenchOptions {
  readonly usesNamespaces?: boolean;
  readonly entry?: readonly string[];
  /** A backend that builds on this one. */
  readonly wrap?: (agents: ComputeBackend, dataFolder: string) => ComputeBackend;
  /** The test context's own: tests that run side by side must give it, or each other's tasks are removed. */
  readonly onTestFinished?: (cleanUp: () => Promise<void>) => void;
}

/** Looks every 15 ms. For tests that run side by side, where vitest's expect.poll loses its test. */
export async function until(what: string, check: () => Promise<boolean> | boolean, withinMs = 15_000): Promise<void> {
  const givenUpAt = systemClock.monotonicMs() + withinMs;
  while (!(await check())) {
    if (systemClock.monotonicMs() > givenUpAt) throw new Error(`waited ${withinMs} ms in vain for ${what}`);
    await systemClock.sleep(15);
  }
}

const environmentOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return ""; // It ended.
  }
};
const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
};

/** Everything goes when the test ends; a process left over fails it. */
export async function setUpTask(options: BenchOptions = {}): Promise<TaskBench> {
  const folder = mkdtempSync(join(tmpdir(), "salvia-task-"));
  const server = await startTaskServer();
  const key = `task-${systemRandom.uuid().slice(0, 8)}-algo-1`;
  const agents = createProcessBackend({ ...ground, dataFolder: folder, ...options });
  const backend = options.wrap?.(agents, folder) ?? agents;
  const paths = (): TaskPaths => taskPaths(join(folder, "tasks", key));
  const processes = (): number[] =>
    listProcesses()
      .map(({ pid }) => pid)
      .filter((pid) => environmentOf(pid).includes(`SALVIA_TASK_KEY=${key}`) || commandOf(pid).includes(key));
  const kill = (identity: ProcessIdentity | undefined): boolean => {
    const isThere = identity !== undefined && isRunning(identity);
    if (isThere) signalProcess(identity.pid, "SIGKILL");
    return isThere;
  };
  const bench: TaskBench = {
    folder,
    server,
    backend,
    key,
    paths,
    processes,
    spec: (source, more = {}) => ({
      key,
      ownerUid: "owner",
      account: "000000000000",
      region: "us-west-2",
      purpose: "training",
      server: { url: server.url, token: server.token },
      program: { kind: "command", argv: ["node", "-e", source] },
      network: { host: "algo-1", addresses: { "algo-1": "127.99.2.1", "algo-2": "127.99.2.2" }, isAlone: true },
      environment: {},
      configFiles: {},
      graceSeconds: 5,
      ...more,
    }),
    start: (source, more) => backend.start(bench.spec(source, more)),
    untilEnd: async () => {
      await until("the end", () => server.end() !== undefined);
    },
    untilLine: async (text) => {
      await until(`the line ${text}`, () => server.lines().includes(text));
    },
    killAgent: () => (existsSync(paths().agent) ? kill(readOwnJson<ProcessIdentity>(paths().agent)) : false),
    killWaiter: () => void kill(readWaiter(paths())),
  };
  (options.onTestFinished ?? onTestFinished)(async () => {
    await backend.remove(key);
    await server.close();
    await until(`the end of ${processes().map(commandOf).join("; ")}`, () => processes().length === 0, 5_000);
    rmSync(folder, { recursive: true, force: true });
  });
  return bench;
}
