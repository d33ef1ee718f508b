// Beside a model that serves: sends this instance's objects through it and stores what comes of them. What is done stands in a file of
// the task, so that a restarted agent goes on with the objects that are left.
import { appendFileSync } from "node:fs";
import { Readable, Transform } from "node:stream";
import { createGunzip } from "node:zlib";
import type { PlannedObject } from "../../task/channel-plan.ts";
import { readIfThere } from "../../task/task-folder.ts";
import type { TransformWork } from "../../task/transform-work.ts";
import { untilItWorks } from "../back-off.ts";
import { openPlanned, throughStages } from "../planned-bytes.ts";
import { ping } from "../ping.ts";
import { StageError } from "../planned-path.ts";
import { createProgress } from "../progress.ts";
import { ServerRefusalError } from "../server-connection.ts";
import { nowMs, tellUser, type TaskRun } from "../task-run.ts";
import { dataProcessing, type DataProcessing } from "./data-processing.ts";
import { connectToModel, UnreachableModelError, type ExecutionParameters, type ModelClient } from "./invoke-model.ts";
import { createTurns, transformed, type ResolvedWork, type Turns } from "./transform-object.ts";

const pingEveryMs = 100;
const defaultPayloadMegabytes = 6;
const megabyte = 1_048_576;

/** Undefined once everything is done; otherwise why it failed. Throws when the signal aborts. */
export async function runTransform(
  run: TaskRun,
  work: TransformWork,
  signal: AbortSignal,
): Promise<string | undefined> {
  const address = await readyAddress(run, signal);
  const client = connectToModel({ ...work, address, clock: run.clock, signal });
  try {
    const resolved = resolvedWork(work, await client.executionParameters());
    return await transformAll(run, resolved, client, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof StageError || error instanceof ServerRefusalError) return error.message;
    throw error;
  } finally {
    client.close();
  }
}

/** Waits for /ping. */
async function readyAddress(run: TaskRun, signal: AbortSignal): Promise<string> {
  const { runner, state, clock } = run;
  for (;;) {
    signal.throwIfAborted();
    const host = await runner.servingHost();
    const address = `http://${host}:${state.current.port}`;
    if (host !== undefined && (await ping(address))) {
      if (state.current.wasReady !== true) state.save({ wasReady: true });
      return address;
    }
    await clock.sleep(pingEveryMs, signal);
  }
}

/** The request's word before the container's, the container's before the default. */
export function resolvedWork(work: TransformWork, wishes: ExecutionParameters): ResolvedWork {
  const wished = wishes.BatchStrategy === "SINGLE_RECORD" ? "SingleRecord" : "MultiRecord";
  const megabytes = work.maxPayloadMegabytes ?? wishes.MaxPayloadInMB ?? defaultPayloadMegabytes;
  return {
    ...work,
    strategy: work.strategy ?? wished,
    maxConcurrent: work.maxConcurrent ?? wishes.MaxConcurrentTransforms ?? 1,
    maxPayloadBytes: megabytes * megabyte,
  };
}

/** An object that fails leaves the others to be done (AWS: "Batch Transform Errors"). Answers why the job has failed, if it has. */
async function transformAll(
  run: TaskRun,
  work: ResolvedWork,
  client: ModelClient,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { connection, clock, log, reporter, paths } = run;
  const plan = await untilItWorks("plan", { clock, log, signal }, () => connection.plan(signal));
  if ("failureReason" in plan) throw new StageError(plan.failureReason);
  const objects = plan.channels.flatMap((channel) => (channel.mode === "Stream" ? channel.objects : []));
  const done = new Set((readIfThere(paths.uploads) ?? "").split("\n"));
  const left = objects.filter((object) => !done.has(JSON.stringify(object.path)));
  const progress = createProgress(clock, (message) =>
    reporter.tell({ type: "phase", at: nowMs(run), phase: "running", message }),
  );
  progress.start(
    "transform",
    left.reduce((sum, object) => sum + object.sizeBytes, 0),
  );
  const processing = dataProcessing(work);
  const turns = createTurns(work.maxConcurrent);
  const failing = new AbortController();
  const both = AbortSignal.any([signal, failing.signal]);
  const waiting = left.values();
  const problems: string[] = [];
  const task = { run, work, client, processing, turns, signal: both, count: (bytes: number) => progress.add(bytes) };
  const worker = async (): Promise<void> => {
    for (const object of waiting) {
      both.throwIfAborted();
      const problem = await oneObject(task, object);
      if (problem === undefined) continue;
      problems.push(problem);
      tellUser(run, `[salvia] ${problem}`);
    }
  };
  const workers = Array.from({ length: Math.min(work.maxConcurrent, left.length) }, () =>
    worker().catch((error: unknown) => {
      failing.abort(error);
      throw error;
    }),
  );
  const failures = (await Promise.allSettled(workers)).filter((each) => each.status === "rejected");
  // The first one is why the others were given up.
  if (failures.length > 0) throw failing.signal.reason;
  return inOne(problems);
}

/** The first one is the job's FailureReason. */
function inOne([first, ...others]: readonly string[]): string | undefined {
  if (first === undefined || others.length === 0) return first;
  const more = others.length === 1 ? "one more object" : `${others.length} more objects`;
  return `${first} (The log names ${more} that failed.)`;
}

interface ObjectWork {
  readonly run: TaskRun;
  readonly work: ResolvedWork;
  readonly client: ModelClient;
  readonly processing: DataProcessing | undefined;
  readonly turns: Turns;
  readonly signal: AbortSignal;
  readonly count: (bytes: number) => void;
}

/** Answers what is wrong with the object. Throws what is wrong with more than it. */
async function oneObject(task: ObjectWork, object: PlannedObject): Promise<string | undefined> {
  const { run, work, client, processing, turns, signal } = task;
  const { connection, clock, log, paths } = run;
  const attempt = async (): Promise<void> => {
    const source = await openSource(task, object);
    const invoke = (body: Buffer): Promise<Buffer> => turns.take(() => client.invoke(body));
    const results = Readable.from(transformed(source, work, processing, invoke), { objectMode: false });
    try {
      await connection.putFile("output", `${object.path}.out`, results, undefined, signal);
    } finally {
      source.destroy();
    }
  };
  try {
    await untilItWorks(`transform of ${object.path}`, { clock, log, signal }, attempt, isFinal);
  } catch (error) {
    if (error instanceof UnreachableModelError) throw new StageError(`ClientError: ${object.path}: ${error.message}`);
    if (error instanceof StageError) return `ClientError: ${object.path}: ${error.message}`;
    if (error instanceof ServerRefusalError)
      throw new StageError(`ClientError: the output of ${object.path} could not be stored: ${error.reason}`);
    throw error;
  }
  appendFileSync(paths.uploads, `${JSON.stringify(object.path)}\n`, { mode: 0o600 });
  return undefined;
}

/** What asking again does not change. */
const isFinal = (error: unknown): boolean =>
  error instanceof StageError || (error instanceof ServerRefusalError && error.status < 500);

async function openSource({ run, signal, count }: ObjectWork, object: PlannedObject): Promise<Readable> {
  const opened = await openPlanned(object, (url) => run.connection.object(url, signal));
  const counted = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      count(chunk.length);
      done(null, chunk);
    },
  });
  return throughStages(opened, object.isGzip ? [counted, createGunzip()] : [counted]);
}
