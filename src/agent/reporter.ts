// Carries events and output to the server. A report lies on disk before it is sent and until it is acknowledged; the newest one
// stays, since it also holds how far the output was read: that, and the server's memory of sequences, make every line arrive once.
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "../lib/error-code.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { ReportRequest, TaskEvent } from "../task/report.ts";
import { readOwnJson, type TaskPaths } from "../task/task-folder.ts";
import { isFinalRefusal, untilItWorks } from "./back-off.ts";
import { followOutput, type OutputFollower } from "./output-follower.ts";
import { TaskGoneError, type ServerConnection } from "./server-connection.ts";
import { spareOutput, type SpareOutput } from "./spare-output.ts";
import { replacedFile } from "./task-state.ts";

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
  readonly onStop: () => void;
  /** The server no longer knows the task, or the folder is gone. */
  readonly onGone: () => void;
}

const heartbeatMs = 1_000;
const quickLookMs = 15;
const idleLookMs = 100;
const quickForMs = 5_000;
const mostWaitingEvents = 2_000;
const eventsPerReport = 500;

class TaskReporter implements Reporter {
  readonly #options: ReporterOptions;
  readonly #output: OutputFollower;
  readonly #spare: SpareOutput;
  readonly #closing = new AbortController();
  readonly #waiting: TaskEvent[] = [];
  readonly #running: Promise<void>;
  #newest: StoredReport;
  #isNewestOnDisk = true;
  #acknowledged = 0;
  #quickUntil = 0;
  #heardAt = -Infinity;
  #isFinal = false;
  #last: TaskEvent | undefined;
  #wake: (() => void) | undefined;

  constructor(options: ReporterOptions) {
    this.#options = options;
    mkdirSync(options.paths.reports, { recursive: true });
    this.#newest = newestReport(options.paths);
    this.#output = followOutput(options.paths.output, options.clock);
    this.#spare = spareOutput(options.paths.output, options.log);
    this.#running = this.#run()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#output.close());
  }

  tell(event: TaskEvent): void {
    if (this.#waiting.length >= mostWaitingEvents) this.#waiting.shift();
    this.#waiting.push(event);
    this.#wake?.();
  }

  expectOutput(): void {
    this.#quickUntil = this.#options.clock.monotonicMs() + quickForMs;
    this.#wake?.();
  }

  async finish(last: TaskEvent): Promise<void> {
    // A restarted agent may find that its last report was this one.
    this.#last = this.#newest.report.events.some((event) => event.type === "end") ? undefined : last;
    this.#isFinal = true;
    this.#wake?.();
    await this.#running;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    if (this.#newest.report.sequence > 0) await this.#deliver();
    else await this.#heartbeat();
    while (!this.#closing.signal.aborted) {
      const next = this.#nextReport();
      if (next) {
        this.#store(next);
        await this.#deliver();
      } else if (this.#isFinal && !this.#last) {
        return;
      } else {
        await this.#heartbeat();
        await this.#pause();
      }
    }
  }

  #fail(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    const isVanished = errorCode(error) === "ENOENT";
    if (!isGone(error) && !isVanished) throw error;
    this.#options.log.warn("the task is no longer wanted", { error });
    this.#options.onGone();
  }

  #nextReport(): StoredReport | undefined {
    const batch = this.#output.next(this.#newest.outputOffset, this.#isFinal);
    const events: TaskEvent[] = this.#waiting.splice(0, eventsPerReport);
    const at = this.#options.clock.now().getTime();
    if (batch) events.push({ type: "output", lines: batch.lines.map((text) => ({ at, text })) });
    else if (this.#isFinal && this.#last && this.#waiting.length === 0) {
      events.push(this.#last);
      this.#last = undefined;
    }
    if (events.length === 0) return undefined;
    const sequence = Math.max(this.#newest.report.sequence, this.#acknowledged) + 1;
    return { report: { sequence, events }, outputOffset: batch?.offset ?? this.#newest.outputOffset };
  }

  #store(stored: StoredReport): void {
    const file = join(this.#options.paths.reports, fileName(stored.report.sequence));
    this.#isNewestOnDisk = replacedFile(file, JSON.stringify(stored));
    if (!this.#isNewestOnDisk) this.#options.log.warn("the disk is full: a report is kept in memory");
    this.#newest = stored;
  }

  async #send(report: ReportRequest): Promise<void> {
    const { connection, clock, onStop } = this.#options;
    const answer = await connection.report(report, this.#closing.signal);
    this.#heardAt = clock.monotonicMs();
    this.#acknowledged = answer.acknowledged;
    if (answer.stop) onStop();
  }

  async #persist(what: string, attempt: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#options;
    await untilItWorks(what, { clock, log, signal: this.#closing.signal }, attempt, isGone);
  }

  /** A report that the server will never take must not stop those behind it. */
  async #deliverNewest(): Promise<void> {
    for (;;) {
      try {
        await untilItWorks(
          "report",
          { clock: this.#options.clock, log: this.#options.log, signal: this.#closing.signal },
          () => this.#send(this.#newest.report),
        );
        return;
      } catch (error) {
        if (isGone(error) || !isFinalRefusal(error)) throw error;
        const less = withLess(this.#newest.report, error);
        if (!less) throw error;
        this.#options.log.error("the server refused a report", { sequence: less.sequence, error });
        this.#store({ ...this.#newest, report: less });
      }
    }
  }

  async #deliver(): Promise<void> {
    const { paths } = this.#options;
    await this.#deliverNewest();
    if (this.#acknowledged < this.#newest.report.sequence) {
      // The server knows less than it did (an older database was put back): go on from what it knows.
      const tooHigh = this.#newest.report.sequence;
      this.#store({ ...this.#newest, report: { ...this.#newest.report, sequence: this.#acknowledged + 1 } });
      rmSync(join(paths.reports, fileName(tooHigh)), { force: true });
      await this.#persist("report", () => this.#send(this.#newest.report));
    }
    // An older one on disk still says how far the output was read.
    if (!this.#isNewestOnDisk) return;
    forgetOlder(paths, this.#newest.report.sequence);
    this.#spare.readUpTo(this.#newest.outputOffset);
  }

  async #heartbeat(): Promise<void> {
    if (this.#options.clock.monotonicMs() - this.#heardAt < heartbeatMs) return;
    await this.#persist("heartbeat", () =>
      this.#send({ sequence: Math.max(this.#newest.report.sequence, this.#acknowledged), events: [] }),
    );
  }

  async #pause(): Promise<void> {
    const { clock } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const woken = new AbortController();
    const signal = AbortSignal.any([woken.signal, this.#closing.signal]);
    const pauseMs = clock.monotonicMs() < this.#quickUntil ? quickLookMs : idleLookMs;
    await Promise.race([promise, clock.sleep(pauseMs, signal).catch(() => undefined)]);
    woken.abort();
  }
}

/** Begins to talk to the server at once. */
export const startReporter = (options: ReporterOptions): Reporter => new TaskReporter(options);

/** The report without its output, and then without all but the end; undefined where nothing is left to give up. */
function withLess(report: ReportRequest, refusal: unknown): ReportRequest | undefined {
  const why = refusal instanceof Error ? refusal.message : String(refusal);
  const lines = report.events.flatMap((event) => (event.type === "output" ? event.lines : []));
  const isNote = lines.length === 1 && lines[0]?.text.startsWith(lostOutput);
  const others = report.events.filter((event) => event.type !== "output");
  const [first] = lines;
  if (first && !isNote) {
    const text = `${lostOutput} ${lines.length} lines: ${why}`;
    return { ...report, events: [{ type: "output", lines: [{ at: first.at, text }] }, ...others] };
  }
  const ends = report.events.filter((event) => event.type === "end");
  return ends.length < report.events.length ? { ...report, events: ends } : undefined;
}

const lostOutput = "[salvia] The server did not take";

const isGone = (error: unknown): boolean => error instanceof TaskGoneError;

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
