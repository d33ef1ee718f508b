// Takes a job from its row to its end: plan → capacity → one task per instance → follow → settle. For kinds without stages of their own.
import { CapacityError, ImageError } from "../../../compute/backend.ts";
import type { Writer } from "../../../database/store.ts";
import { releaseCapacity } from "../../../engine/capacity.ts";
import { anyReconciler, lookAgain, next, settle, type AnyReconciler, type Step } from "../../../engine/reconciler.ts";
import { seconds } from "../../../lib/clock.ts";
import type { TaskSpec } from "../../../task/task.ts";
import { InputDataError } from "../channels/channel-planner.ts";
import type { TaskRow } from "../tasks/task-owner.ts";
import { observedOf, tasksOf } from "../tasks/task-rows.ts";
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
import { neverFits } from "./job-instances.ts";
import { forgetTasks, launchTasks } from "./launch-tasks.ts";
import { savePlan } from "./plan-blob.ts";
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
function plan<Spec>(platform: JobPlatform, kind: JobKind<Spec>): JobStep<Spec> {
  return async (job) => {
    if (job.status.planBlob !== undefined) return next();
    try {
      return lookAgain(0, { planBlob: await savePlan(platform, job.uid, kind.plan(job)) });
    } catch (error) {
      if (error instanceof InputDataError || error instanceof JobProblem)
        return failed(error.message, platform.clock.now());
      throw error;
    }
  };
}

/** All instances or none, first come first served; woken when others give theirs back. */
function waitForCapacity<Spec>({ capacity, clock }: JobPlatform, kind: JobKind<Spec>): JobStep<Spec> {
  return async (job) => {
    if (job.status.launchedAt) return next();
    const wanted = kind.instanceCount(job.spec);
    if (wanted > capacity.limits.jobs) return failed(neverFits(wanted, capacity.limits.jobs), clock.now());
    const answer = await capacity.request(job.uid, { pool: "jobs", instances: wanted });
    return answer.isGranted ? next() : lookAgain(capacityEveryMs);
  };
}

function launch<Spec>(platform: JobPlatform, kind: JobKind<Spec>): JobStep<Spec> {
  const { clock } = platform;
  return async (job) => {
    if (job.status.launchedAt) return next();
    const { uid, account, region } = job;
    const specs = (tasks: readonly TaskRow[]): Promise<TaskSpec[]> => kind.taskSpecs(job, tasks);
    try {
      await launchTasks(platform, { uid, account, region, keys: keysOf(kind, job), specs });
    } catch (error) {
      if (error instanceof CapacityError) return lookAgain(capacityEveryMs);
      if (error instanceof ImageError) return failed(`ClientError: ${error.message}`, clock.now());
      throw error;
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
    const { stopGraceSeconds, areIndependent } = kind;
    const tasks = await watchTasks(platform, { uid, keys, isStopWanted, stopGraceSeconds, areIndependent });
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
    alsoSave: (tx, job) => {
      const { uid, status } = job;
      const leave = (writer: Writer): Promise<void> => releaseCapacity(writer, uid);
      const now = platform.clock.now();
      const metered = kind.meter(job.spec, status, now);
      const attempt = { ...status, uid, isOver: isOver(status), keys: keysOf(kind, job), leave, metered };
      return forgetTasks(tx, attempt, now);
    },
  });
}
