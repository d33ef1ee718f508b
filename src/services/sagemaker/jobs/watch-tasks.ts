// Looks after the running instances of a job: notices the lost, passes a stop on.
import type { SagemakerPlatform } from "../context.ts";
import type { TaskEnd } from "../../../task/report.ts";
import type { TaskRow } from "../tasks/task-owner.ts";
import { endsOf, findTask, observedOf, requestStop, saveObserved, tasksOf } from "../tasks/task-rows.ts";
import { instanceOf } from "./job-kind.ts";
import { endsJob, isFailure } from "./verdict.ts";

/** Of the instances of a job that has failed nothing is kept but what they wrote for people. */
const failureGraceSeconds = 10;

type Platform = Pick<SagemakerPlatform, "store" | "compute" | "clock" | "log">;

/** An agent leaves only after its end was acknowledged; one that is gone without was lost. The row is read again: its end may just have come in. */
async function recordLoss({ store, clock, log }: Platform, key: string, problem: string | undefined): Promise<void> {
  const now = clock.now().getTime();
  const isLost = await store.write(async (tx) => {
    const task = await findTask(tx, key);
    const observed = task && observedOf(task);
    if (!observed || observed.end) return false;
    const startedAt = observed.phaseStarts.running;
    const end = {
      how: "lost",
      endedAt: now,
      reportedAt: now,
      ...(startedAt === undefined ? {} : { startedAt }),
    } as const;
    await saveObserved(tx, key, { ...observed, end });
    return true;
  });
  if (isLost) log.warn("a task was lost", { key, problem });
}

const isRunning = (task: TaskRow): boolean => observedOf(task).end === undefined;

async function noteLost(platform: Platform, tasks: readonly TaskRow[]): Promise<void> {
  for (const task of tasks.filter(isRunning)) {
    const state = await platform.compute.inspect(task.key);
    if (!state || state.state === "ended") await recordLoss(platform, task.key, state?.problem);
  }
}

async function stopAll({ store, compute }: Platform, tasks: readonly TaskRow[], graceSeconds: number): Promise<void> {
  const running = tasks.filter(isRunning);
  // The backend first: it carries the grace, the answer to the next report only the wish.
  for (const task of running) await compute.stop(task.key, graceSeconds);
  const unasked = running.filter((task) => task.stop_requested === 0).map((task) => task.key);
  if (unasked.length > 0) await store.write((tx) => requestStop(tx, unasked));
}

export interface WatchedJob {
  readonly uid: string;
  /** Of this attempt's tasks. */
  readonly keys: readonly string[];
  readonly isStopWanted: boolean;
  readonly stopGraceSeconds: number;
  /** A program that fails ends its own instance alone. */
  readonly areIndependent?: boolean | undefined;
}

/** The rows of this attempt as they are now, algo-1 first. */
export async function watchTasks(platform: Platform, job: WatchedJob): Promise<TaskRow[]> {
  const keys = new Set(job.keys);
  const rows = async (): Promise<TaskRow[]> => {
    const tasks = await tasksOf(platform.store.read, job.uid);
    return tasks.filter((task) => keys.has(task.key)).sort((a, b) => instanceOf(a) - instanceOf(b));
  };
  await noteLost(platform, await rows());
  const tasks = await rows();
  const ends = endsOf(tasks);
  const hasFailed = ends.some(isFailure);
  const isEnough = (end: TaskEnd): boolean => endsJob(end) && !(job.areIndependent === true && end.how === "exited");
  if (job.isStopWanted || ends.some(isEnough))
    await stopAll(platform, tasks, hasFailed ? failureGraceSeconds : job.stopGraceSeconds);
  return tasks;
}
