// The last step of a job: every instance has ended. Restart it, or store its results and settle.
import { lookAgain, settle } from "../../../engine/reconciler.ts";
import type { TaskEnd } from "../../../task/report.ts";
import { accessOf } from "../role-access.ts";
import type { TaskRow } from "../tasks/task-owner.ts";
import { observedOf } from "../tasks/task-rows.ts";
import { ArtifactError, storeArtifacts } from "./artifacts.ts";
import { finalMetrics } from "./job-progress.ts";
import { moveTo } from "./secondary-status.ts";
import type { TrainingJobStatus } from "./training-job.resource.ts";
import type { Job, JobOutcome, TrainingPlatform } from "./job-step.ts";
import { verdictOf, type Verdict } from "../jobs/verdict.ts";

/** Before any program ran, an instance may be lost once without the user's leave: nothing has happened yet. */
const freeRestarts = 1;

const endsOf = (tasks: readonly TaskRow[]): TaskEnd[] =>
  tasks.map((task) => observedOf(task).end).filter((end) => end !== undefined);

function mayRestart(job: Job, tasks: readonly TaskRow[]): boolean {
  const ends = endsOf(tasks);
  if (job.intent.stopRequestedAt || !ends.some((end) => end.how === "lost")) return false;
  // A program that failed by itself would do so again.
  if (ends.some((end) => end.how === "setup-failed" || (end.how === "exited" && end.exitCode === undefined)))
    return false;
  const hasRun = tasks.some((task) => observedOf(task).phaseStarts.running !== undefined);
  const allowed = job.spec.RetryStrategy?.MaximumRetryAttempts ?? 0;
  return job.status.attempt < Math.max(allowed, hasRun ? 0 : freeRestarts);
}

function times(job: Job, at: Date): Partial<TrainingJobStatus> {
  const { TrainingStartTime: start } = job.status;
  if (!start) return {};
  const wholeSeconds = Math.max(0, Math.ceil((at.getTime() - start.getTime()) / 1_000));
  return { TrainingEndTime: at, TrainingTimeInSeconds: wholeSeconds, BillableTimeInSeconds: wholeSeconds };
}

function settledStatus(job: Job, verdict: Verdict, at: Date): Partial<TrainingJobStatus> {
  const secondary = verdict.state === "Stopped" ? verdict.secondary : verdict.state;
  return {
    TrainingJobStatus: verdict.state,
    ...moveTo(job.status, secondary, at, verdict.state === "Failed" ? verdict.reason : undefined),
    ...(verdict.state === "Failed" ? { FailureReason: verdict.reason } : {}),
    ...times(job, at),
  };
}

export function trainingJobEnd({ compute, objects, roles, storage, clock }: TrainingPlatform) {
  const clear = async (tasks: readonly TaskRow[]): Promise<void> => {
    for (const task of tasks) await compute.remove(task.key);
  };

  /** `job` as the step before left it, which the outcome includes. Everything before the outcome is saved can be repeated. */
  return async (job: Job, tasks: readonly TaskRow[]): Promise<JobOutcome> => {
    if (mayRestart(job, tasks)) {
      await clear(tasks);
      const walk = moveTo(job.status, "Restarting", clock.now());
      return lookAgain(0, { ...job.status, attempt: job.status.attempt + 1, launchedAt: null, ...walk });
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
    return settle({
      ...job.status,
      ...settledStatus(job, verdict, clock.now()),
      ...(model === undefined ? {} : { ModelArtifacts: { S3ModelArtifacts: model } }),
      ...(metrics.length > 0 ? { FinalMetricDataList: metrics } : {}),
    });
  };
}
