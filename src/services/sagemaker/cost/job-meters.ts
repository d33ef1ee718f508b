// How long the instances of a job were paid for, by its kind: of one that runs, until now. Empty before it began.
import type { JobStatus } from "../jobs/job-kind.ts";
import type { ProcessingJobSpec } from "../processing-job/processing-job.resource.ts";
import { billableSeconds, ranSeconds } from "../training-job/ran-seconds.ts";
import type { TrainingJobSpec, TrainingJobStatus } from "../training-job/training-job.resource.ts";
import type { TransformJobSpec } from "../transform-job/transform-job.resource.ts";
import type { Metered } from "./charge.ts";

const secondsBetween = (from: Date, to: Date): number => Math.max(0, (to.getTime() - from.getTime()) / 1_000);

/** Of a job without attempts of its own. */
function metered({ startedAt, endedAt }: JobStatus, instanceType: string, instances: number, now: Date): Metered[] {
  if (!startedAt) return [];
  const billedSeconds = secondsBetween(startedAt, endedAt ?? now);
  return [{ instanceType, instances, startedAt, endedAt, billedSeconds, savedSeconds: 0 }];
}

export const meterProcessing = (spec: ProcessingJobSpec, status: JobStatus, now: Date): Metered[] => {
  const { InstanceType = "", InstanceCount = 1 } = spec.ProcessingResources.ClusterConfig;
  return metered(status, InstanceType, InstanceCount, now);
};

export const meterTransform = (spec: TransformJobSpec, status: JobStatus, now: Date): Metered[] =>
  metered(status, spec.TransformResources.InstanceType, spec.TransformResources.InstanceCount, now);

/** The warm pool that a job left, from its end on. */
function meterPool({ WarmPoolStatus: pool, retainedAt: startedAt }: TrainingJobStatus, now: Date) {
  if (!pool || !startedAt) return undefined;
  const { Status, ResourceRetainedBillableTimeInSeconds: kept = 0 } = pool;
  const isHeld = Status === "Available";
  const billedSeconds = isHeld ? secondsBetween(startedAt, now) : kept;
  const endedAt = isHeld ? undefined : new Date(startedAt.getTime() + kept * 1_000);
  return { isPool: true, startedAt, endedAt, billedSeconds, savedSeconds: 0 };
}

/** All attempts together; of spot capacity what is billed, and what it saved; and the warm pool. */
export function meterTraining(spec: TrainingJobSpec, status: TrainingJobStatus, now: Date): Metered[] {
  const { TrainingStartTime: startedAt, TrainingEndTime: endedAt } = status;
  if (!startedAt) return [];
  const seconds = status.TrainingTimeInSeconds ?? ranSeconds(status, now);
  const billedSeconds = status.BillableTimeInSeconds ?? billableSeconds(status, seconds);
  const { InstanceType: instanceType = "", InstanceCount: instances = 1 } = spec.ResourceConfig ?? {};
  const savedSeconds = Math.max(0, seconds - billedSeconds);
  const job = { instanceType, instances, startedAt, endedAt, billedSeconds, savedSeconds };
  const pool = meterPool(status, now);
  return pool ? [job, { instanceType, instances, ...pool }] : [job];
}
