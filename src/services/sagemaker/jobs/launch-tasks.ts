// Starts one task per instance of a job, and forgets those of an attempt that is over.
import { ImageError } from "../../../compute/backend.ts";
import type { Writer } from "../../../database/store.ts";
import type { TaskSpec } from "../../../task/task.ts";
import type { SagemakerPlatform } from "../context.ts";
import { recordJob, type Metered } from "../cost/charge.ts";
import { discardBlobs, letGo } from "../tasks/kept-blobs.ts";
import type { TaskRow } from "../tasks/task-owner.ts";
import { deleteTasks, ensureTasks, tasksOf } from "../tasks/task-rows.ts";

type Platform = Pick<SagemakerPlatform, "store" | "random" | "compute" | "clock">;

export interface LaunchedJob {
  readonly uid: string;
  readonly account: string;
  readonly region: string;
  /** Of this attempt's tasks. */
  readonly keys: readonly string[];
  /** One per row, in the rows' order. */
  specs(tasks: readonly TaskRow[]): Promise<readonly TaskSpec[]>;
}

/** Safe to repeat: rows and tasks are found again by their keys. Throws CapacityError, and ImageError with nothing left running. */
export async function launchTasks({ store, random, compute, clock }: Platform, job: LaunchedJob): Promise<void> {
  const place = { ownerUid: job.uid, account: job.account, region: job.region };
  const tasks = await ensureTasks({ store, random }, place, job.keys, clock.now());
  // One that has reported was started by a pass that could not be saved. Should it be gone since, it was lost, and is not to be
  // started as if it had never run.
  const heardOf = new Set(tasks.filter((task) => task.sequence > 0).map((task) => task.key));
  try {
    const specs = (await job.specs(tasks)).filter((spec) => !heardOf.has(spec.key));
    // None is left half started behind our back: all have answered before the first failure is looked at.
    const starts = await Promise.allSettled(specs.map((spec) => compute.start(spec)));
    const failure = starts.find((start) => start.status === "rejected");
    if (failure) throw failure.reason;
  } catch (error) {
    if (error instanceof ImageError) for (const task of tasks) await compute.remove(task.key);
    throw error;
  }
}

export interface KnownAttempt {
  readonly uid: string;
  readonly isOver: boolean;
  /** Null between attempts. */
  readonly launchedAt?: Date | null | undefined;
  readonly planBlob?: string | undefined;
  /** What is paid for it. */
  readonly metered: readonly Metered[];
  /** Gives the instances back, or keeps them for others. */
  leave(tx: Writer): Promise<void>;
  /** Of the tasks of the attempt that runs or comes next. */
  readonly keys: readonly string[];
}

/** Part of the transaction that saves an outcome: between attempts what is left of the one before goes, at the end everything. */
export async function forgetTasks(tx: Writer, job: KnownAttempt, now: Date): Promise<void> {
  if (!job.isOver && job.launchedAt !== null) return;
  const tasks = await tasksOf(tx, job.uid);
  await deleteTasks(tx, job.isOver ? tasks : tasks.filter((task) => !job.keys.includes(task.key)), now);
  if (!job.isOver) return;
  await job.leave(tx);
  await recordJob(tx, job.uid, job.metered, now);
  await letGo(tx, job.uid);
  if (job.planBlob !== undefined) await discardBlobs(tx, [job.planBlob], now);
}
