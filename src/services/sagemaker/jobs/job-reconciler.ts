// Takes a job from its row to its end: plan → capacity → one task per instance → follow → settle. For kinds without stages of their own.
import { Readable } from "node:stream";
import { CapacityError, ImageError } from "../../../compute/backend.ts";
import { releaseCapacity } from "../../../engine/capacity.ts";
import { anyReconciler, lookAgain, next, settle, type AnyReconciler, type Step } from "../../../engine/reconciler.ts";
import { seconds } from "../../../lib/clock.ts";
import type { Writer } from "../../../database/store.ts";
import { InputDataError } from "../channels/channel-planner.ts";
import { discardBlobs, keepBlob, letGo } from "../tasks/kept-blobs.ts";
import type { TaskRow } from "../tasks/task-owner.ts";
import { deleteTasks, ensureTasks, observedOf, tasksOf } from "../tasks/task-rows.ts";
import { endOfJob } from "./end-job.ts";
import {
  isOver,
  JobProblem,
  jobTaskKeys,
  type Job,
  type JobIntent,
  type JobKind,
  type JobOutcome,
  type JobPlatform,
  type JobStatus,
} from "./job-kind.ts";
import { watchTasks } from "./watch-tasks.ts";

const capacityEveryMs = seconds(10);
const followEveryMs = seconds(2);

type JobStep<Spec> = Step<Spec, JobIntent, JobStatus>;

const failed = (reason: string, endedAt: Date): JobOutcome =>
  settle({ state: "Failed", failureReason: reason.slice(0, 1024), endedAt });

const keysOf = <Spec>(kind: JobKind<Spec>, job: Job<Spec>): string[] =>
  jobTaskKeys(job.uid, job.status.attempt, kind.instanceCount(job.spec));

/** A stop before the launch was saved: whatever a crashed pass may have started goes without a trace. */
function abandonWhenStopped<Spec>({ store, compute, clock }: JobPlatform): JobStep<Spec> {
  return async (job) => {
    if (!job.intent.stopRequestedAt || job.status.launchedAt) return next();
    for (const task of await tasksOf(store.read, job.uid)) await compute.remove(task.key);
    return settle({ state: "Stopped", endedAt: clock.now() });
  };
}

/** Saved before anything starts: agents ask for it at once. */
function plan<Spec>({ store, objects, storage, clock }: JobPlatform, kind: JobKind<Spec>): JobStep<Spec> {
  return async (job) => {
    if (job.status.planBlob !== undefined) return next();
    try {
      const made = await kind.plan(job);
      await objects.pin(job.uid, made.files);
      const blob = await storage.write(Readable.from([Buffer.from(JSON.stringify(made.plan))]));
      await store.write((tx) => keepBlob(tx, job.uid, blob.id));
      return lookAgain(0, { planBlob: blob.id });
    } catch (error) {
      if (error instanceof InputDataError || error instanceof JobProblem) return failed(error.message, clock.now());
      throw error;
    }
  };
}

/** All instances or none, first come first served; woken when others give theirs back. */
function waitForCapacity<Spec>({ capacity, clock }: JobPlatform, kind: JobKind<Spec>): JobStep<Spec> {
  return async (job) => {
    if (job.status.launchedAt) return next();
    const wanted = kind.instanceCount(job.spec);
    if (wanted > capacity.limits.jobs) {
      const reason = `CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type. (${wanted} instances; this Salvia has ${capacity.limits.jobs})`;
      return failed(reason, clock.now());
    }
    const answer = await capacity.request("jobs", job.uid, wanted);
    return answer.isGranted ? next() : lookAgain(capacityEveryMs);
  };
}

/** Safe to repeat: rows and tasks are found again by their keys. */
function launch<Spec>({ store, random, compute, clock }: JobPlatform, kind: JobKind<Spec>): JobStep<Spec> {
  return async (job) => {
    if (job.status.launchedAt) return next();
    const place = { ownerUid: job.uid, account: job.account, region: job.region };
    const tasks = await ensureTasks({ store, random }, place, keysOf(kind, job), clock.now());
    // One that has reported was started by a pass that could not be saved: should it be gone since, it was lost.
    const heardOf = new Set(tasks.filter((task) => task.sequence > 0).map((task) => task.key));
    try {
      const specs = (await kind.taskSpecs(job, tasks)).filter((spec) => !heardOf.has(spec.key));
      const starts = await Promise.allSettled(specs.map((spec) => compute.start(spec)));
      const failure = starts.find((start) => start.status === "rejected");
      if (failure) throw failure.reason;
    } catch (error) {
      if (error instanceof CapacityError) return lookAgain(capacityEveryMs);
      if (!(error instanceof ImageError)) throw error;
      for (const task of tasks) await compute.remove(task.key);
      return failed(`ClientError: ${error.message}`, clock.now());
    }
    return next({ launchedAt: clock.now() });
  };
}

const startOf = (tasks: readonly TaskRow[]): Date | undefined => {
  const starts = tasks.map((task) => observedOf(task).phaseStarts.downloading).filter((at) => at !== undefined);
  return starts.length === 0 ? undefined : new Date(Math.min(...starts));
};

/** Stops all instances when one has ended badly or the job should stop; settles when all have ended. */
function follow<Spec>(platform: JobPlatform, kind: JobKind<Spec>): JobStep<Spec> {
  return async (job) => {
    const keys = keysOf(kind, job);
    const isStopWanted = job.intent.stopRequestedAt !== undefined;
    const { uid } = job;
    const { stopGraceSeconds } = kind;
    const tasks = await watchTasks(platform, { uid, keys, isStopWanted, stopGraceSeconds });
    if (tasks.length < keys.length) throw new Error(`rows of the tasks of ${job.name} are missing`);
    const startedAt = job.status.startedAt ?? startOf(tasks);
    const status: Partial<JobStatus> = {
      ...(startedAt && { startedAt }),
      ...(isStopWanted && { state: "Stopping" as const }),
    };
    if (tasks.some((task) => !observedOf(task).end)) return lookAgain(followEveryMs, status);
    return endOfJob(platform, { ...job, status: { ...job.status, ...status } }, tasks);
  };
}

async function alsoSave<Spec>(kind: JobKind<Spec>, now: Date, tx: Writer, job: Job<Spec>): Promise<void> {
  // Between attempts `launchedAt` is null: what is left of the one before is forgotten.
  if (!isOver(job.status) && job.status.launchedAt !== null) return;
  const tasks = await tasksOf(tx, job.uid);
  const current = new Set(keysOf(kind, job));
  await deleteTasks(tx, isOver(job.status) ? tasks : tasks.filter((task) => !current.has(task.key)), now);
  if (!isOver(job.status)) return;
  await releaseCapacity(tx, job.uid);
  await letGo(tx, job.uid);
  if (job.status.planBlob !== undefined) await discardBlobs(tx, [job.status.planBlob], now);
}

export function jobReconciler<Spec>(platform: JobPlatform, kind: JobKind<Spec>): AnyReconciler {
  return anyReconciler<Spec, JobIntent, JobStatus>({
    kind: kind.kind,
    steps: [
      async (job) => (isOver(job.status) ? settle() : next()),
      abandonWhenStopped(platform),
      plan(platform, kind),
      waitForCapacity(platform, kind),
      launch(platform, kind),
      follow(platform, kind),
    ],
    stateOf: ({ state }) => state,
    alsoSave: (tx, job) => alsoSave(kind, platform.clock.now(), tx, job),
  });
}
