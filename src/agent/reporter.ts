// Carries events and output to the server. A report lies on disk before it is sent and until it is acknowledged; the newest one
// stays, since it also holds how far the output was read: that, and the server's memory of sequences, make every line arrive once.
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { ReportRequest, TaskEvent } from "../task/report.ts";
import { readOwnJson, type TaskPaths } from "../task/task-folder.ts";
import { untilItWorks } from "./back-off.ts";
import { followOutput } from "./output-follower.ts";
import { TaskGoneError, type ServerConnection } from "./server-connection.ts";
import { replaceFile } from "./task-state.ts";

interface StoredReport {
  readonly report: ReportRequest;
  readonly outputOffset: number;
}

export interface Reporter {
  /** Queues an event. It may be lost if the agent dies at once: the step that told it will be repeated. */
  tell(event: TaskEvent): void;
  /** From now on output is looked for often. */
  expectOutput(): void;
  /** Passes on what is left of the output, then `last`, and resolves once the server has acknowledged it. */
  finish(last: TaskEvent): Promise<void>;
  /** Ends without sending more. */
  close(): Promise<void>;
}

export interface ReporterOptions {
  readonly paths: TaskPaths;
  readonly connection: ServerConnection;
  readonly clock: Clock;
  readonly log: Log;
  /** The server wants the task to end. May be called often. */
  onStop(): void;
  /** The server no longer knows the task, or the folder is gone. */
  onGone(): void;
}

const heartbeatMs = 1_000;
const quickLookMs = 15;
const idleLookMs = 100;
const quickForMs = 5_000;
const mostWaitingEvents = 2_000;
const eventsPerReport = 500;

export function startReporter(options: ReporterOptions): Reporter {
  const { paths, connection, clock, log } = options;
  mkdirSync(paths.reports, { recursive: true });
  const closing = new AbortController();
  const waiting: TaskEvent[] = [];
  const output = followOutput(paths.output, clock);
  let newest = newestReport(paths);
  let acknowledged = 0;
  let quickUntil = 0;
  let heardAt = -Infinity;
  let isFinal = false;
  let last: TaskEvent | undefined;
  const poke: { wake?: () => void } = {};

  const send = async (report: ReportRequest): Promise<void> => {
    const answer = await connection.report(report, closing.signal);
    heardAt = clock.monotonicMs();
    acknowledged = answer.acknowledged;
    if (answer.stop) options.onStop();
  };
  const patience = { clock, log, signal: closing.signal };
  const store = (stored: StoredReport): void => {
    replaceFile(join(paths.reports, fileName(stored.report.sequence)), JSON.stringify(stored));
    newest = stored;
  };
  const isGone = (error: unknown): boolean => error instanceof TaskGoneError;
  const deliver = async (): Promise<void> => {
    await untilItWorks("report", patience, () => send(newest.report), isGone);
    if (acknowledged < newest.report.sequence) {
      // The server knows less than it did (an older database was put back): go on from what it knows.
      const tooHigh = newest.report.sequence;
      store({ ...newest, report: { ...newest.report, sequence: acknowledged + 1 } });
      rmSync(join(paths.reports, fileName(tooHigh)), { force: true });
      await untilItWorks("report", patience, () => send(newest.report), isGone);
    }
    forgetOlder(paths, newest.report.sequence);
  };

  const nextReport = (): StoredReport | undefined => {
    const batch = output.next(newest.outputOffset, isFinal);
    const events: TaskEvent[] = waiting.splice(0, eventsPerReport);
    const at = clock.now().getTime();
    if (batch) events.push({ type: "output", lines: batch.lines.map((text) => ({ at, text })) });
    else if (isFinal && last && waiting.length === 0) {
      events.push(last);
      last = undefined;
    }
    if (events.length === 0) return undefined;
    const sequence = Math.max(newest.report.sequence, acknowledged) + 1;
    return { report: { sequence, events }, outputOffset: batch?.offset ?? newest.outputOffset };
  };

  const pause = async (): Promise<void> => {
    const now = clock.monotonicMs();
    const { promise, resolve } = Promise.withResolvers<void>();
    poke.wake = resolve;
    const woken = new AbortController();
    const signal = AbortSignal.any([woken.signal, closing.signal]);
    await Promise.race([promise, clock.sleep(now < quickUntil ? quickLookMs : idleLookMs, signal).catch(() => {})]);
    woken.abort();
  };
  const heartbeat = async (): Promise<void> => {
    if (clock.monotonicMs() - heardAt < heartbeatMs) return;
    await untilItWorks(
      "heartbeat",
      patience,
      async () => {
        await send({ sequence: Math.max(newest.report.sequence, acknowledged), events: [] });
      },
      isGone,
    );
  };

  const run = async (): Promise<void> => {
    if (newest.report.sequence > 0) await deliver();
    else await heartbeat();
    while (!closing.signal.aborted) {
      const next = nextReport();
      if (next) {
        store(next);
        await deliver();
      } else if (isFinal && !last) {
        return;
      } else {
        await heartbeat();
        await pause();
      }
    }
  };
  const running = run()
    .catch((error: unknown) => {
      if (closing.signal.aborted) return;
      const isVanished = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!(error instanceof TaskGoneError) && !isVanished) throw error;
      log.warn("the task is no longer wanted", { reason: error.message });
      options.onGone();
    })
    .finally(() => output.close());

  return {
    tell: (event) => {
      if (waiting.length >= mostWaitingEvents) waiting.shift();
      waiting.push(event);
      poke.wake?.();
    },
    expectOutput: () => {
      quickUntil = clock.monotonicMs() + quickForMs;
      poke.wake?.();
    },
    finish: async (event) => {
      // A restarted agent may find that its last report was this one.
      last = newest.report.events.some((each) => each.type === "end") ? undefined : event;
      isFinal = true;
      poke.wake?.();
      await running;
    },
    close: async () => {
      closing.abort();
      await running;
    },
  };
}

const fileName = (sequence: number): string => `${String(sequence).padStart(12, "0")}.json`;

const storedNames = (paths: TaskPaths): string[] =>
  readdirSync(paths.reports)
    .filter((name) => name.endsWith(".json"))
    .sort();

function newestReport(paths: TaskPaths): StoredReport {
  const name = storedNames(paths).at(-1);
  const stored = name && readOwnJson<StoredReport>(join(paths.reports, name));
  return stored || { report: { sequence: 0, events: [] }, outputOffset: 0 };
}

function forgetOlder(paths: TaskPaths, sequence: number): void {
  for (const name of storedNames(paths))
    if (name < fileName(sequence)) rmSync(join(paths.reports, name), { force: true });
}
