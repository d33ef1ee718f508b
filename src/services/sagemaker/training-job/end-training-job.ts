// The last step of a job: every instance has ended. Restart it, or store its results and settle.
import { lookAgain, settle } from "../../../engine/reconciler.ts";
import { seconds } from "../../../lib/clock.ts";
import { accessOf } from "../role-access.ts";
import type { TaskRow } from "../tasks/task-owner.ts";
import { endsOf, observedOf } from "../tasks/task-rows.ts";
import { ArtifactError, storeArtifacts } from "./artifacts.ts";
import { finalMetrics } from "./job-progress.ts";
import { billableSeconds, ranSeconds } from "./ran-seconds.ts";
import { isSpot } from "./spot.ts";
import { moveTo, type SecondaryStatus } from "./secondary-status.ts";
import type { TrainingJobStatus } from "./training-job.resource.ts";
import { poolAtEnd } from "./warm-pool.ts";
import type { Job, JobOutcome, TrainingPlatform } from "./job-step.ts";
import { verdictOf, type Verdict } from "../jobs/verdict.ts";

/** Before any program ran, an instance may be lost once without the user's leave: nothing has happened yet. */
const freeRestarts = 1;

function mayRestart(job: Job, tasks: readonly TaskRow[]): boolean {
  const ends = endsOf(tasks);
  const { waitExceededAt, interruptedAt } = job.status;
  if (job.intent.stopRequestedAt || waitExceededAt) return false;
  // As long as there is time: a program that ended by itself in its last two minutes has ended.
  if (isSpot(job.spec) && interruptedAt && ends.some((end) => end.how === "stopped" || end.how === "lost")) return true;
  if (!ends.some((end) => end.how === "lost")) return false;
  // A program that failed by itself would do so again.
  if (ends.some((end) => end.how === "setup-failed" || (end.how === "exited" && end.exitCode === undefined)))
    return false;
  if (isSpot(job.spec)) return true;
  const hasRun = tasks.some((task) => observedOf(task).phaseStarts.running !== undefined);
  const allowed = job.spec.RetryStrategy?.MaximumRetryAttempts ?? 0;
  return job.status.attempt < Math.max(allowed, hasRun ? 0 : freeRestarts);
}

export function times({ status }: Job, at: Date): Partial<TrainingJobStatus> {
  if (!status.TrainingStartTime) return {};
  const ran = ranSeconds(status, at);
  return {
    TrainingEndTime: at,
    TrainingTimeInSeconds: Math.ceil(ran),
    BillableTimeInSeconds: Math.ceil(billableSeconds(status, ran)),
  };
}

function secondaryOf(job: Job, verdict: Verdict): SecondaryStatus {
  if (verdict.state !== "Stopped") return verdict.state;
  return job.status.waitExceededAt ? "MaxWaitTimeExceeded" : verdict.secondary;
}

function settledStatus(job: Job, verdict: Verdict, at: Date): Partial<TrainingJobStatus> {
  const secondary = secondaryOf(job, verdict);
  return {
    TrainingJobStatus: verdict.state,
    ...moveTo(job.status, secondary, at, verdict.state === "Failed" ? verdict.reason : undefined),
    ...(verdict.state === "Failed" ? { FailureReason: verdict.reason } : {}),
    ...times(job, at),
  };
}

/** As AWS shows it until instances are there again; here they are at once, and whoever watches the job should see it. */
const showInterruptedMs = seconds(3);

/** A new attempt: of the old one its time is kept. */
function nextAttempt(job: Job, at: Date): JobOutcome {
  const { status } = job;
  const isInterrupted = isSpot(job.spec);
  return lookAgain(isInterrupted ? showInterruptedMs : 0, {
    ...status,
    ...moveTo(status, isInterrupted ? "Interrupted" : "Restarting", at),
    attempt: status.attempt + 1,
    launchedAt: null,
    attemptStartedAt: null,
    interruptedAt: null,
    earlierSeconds: ranSeconds(status, at),
  });
}

export function trainingJobEnd({ compute, objects, roles, storage, clock }: TrainingPlatform) {
  const clear = async (tasks: readonly TaskRow[]): Promise<void> => {
    for (const task of tasks) await compute.remove(task.key);
  };

  /** `job` as the step before left it, which the outcome includes. Everything before the outcome is saved can be repeated. */
  return async (job: Job, tasks: readonly TaskRow[]): Promise<JobOutcome> => {
    if (mayRestart(job, tasks)) {
      await clear(tasks);
      return nextAttempt(job, clock.now());
    }
    let verdict = verdictOf(endsOf(tasks));
    let model: string | undefined;
    try {
      const { name, region, spec } = job;
      const { S3OutputPath: outputPath } = spec.OutputDataConfig;
      const access = accessOf(roles, spec.RoleArn, region);
      model = await storeArtifacts({ objects, storage }, { name, outputPath, access }, tasks, verdict);
    } catch (error) {
      if (!(error instanceof ArtifactError)) throw error;
      // What failed before keeps its own reason.
      if (verdict.state !== "Failed") verdict = { state: "Failed", reason: error.message };
    }
    await clear(tasks);
    const metrics = finalMetrics(tasks.map(observedOf));
    const pool = poolAtEnd(job, verdict, clock.now());
    const ended = {
      ...job.status,
      ...settledStatus(job, verdict, clock.now()),
      ...pool,
      ...(model === undefined ? {} : { ModelArtifacts: { S3ModelArtifacts: model } }),
      ...(metrics.length > 0 ? { FinalMetricDataList: metrics } : {}),
    };
    return pool.retainedAt ? lookAgain(0, ended) : settle(ended);
  };
}
