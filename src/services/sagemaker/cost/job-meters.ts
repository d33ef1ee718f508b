// How long the instances of a job were paid for, by its kind: of one that runs, until now.
import type { JobStatus } from "../jobs/job-kind.ts";
import type { ProcessingJobSpec } from "../processing-job/processing-job.resource.ts";
import { ranSeconds } from "../training-job/ran-seconds.ts";
import type { TrainingJobSpec, TrainingJobStatus } from "../training-job/training-job.resource.ts";
import type { TransformJobSpec } from "../transform-job/transform-job.resource.ts";
import type { Metered } from "./charge.ts";

const secondsBetween = (from: Date, to: Date): number => Math.max(0, (to.getTime() - from.getTime()) / 1_000);

/** Of a job without attempts of its own; undefined before it began. */
function metered(
  { startedAt, endedAt }: JobStatus,
  instanceType: string,
  instances: number,
  now: Date,
): Metered | undefined {
  if (!startedAt) return undefined;
  const billedSeconds = secondsBetween(startedAt, endedAt ?? now);
  return { instanceType, instances, startedAt, endedAt, billedSeconds, savedSeconds: 0, retainedSeconds: 0 };
}

export const meterProcessing = (spec: ProcessingJobSpec, status: JobStatus, now: Date): Metered | undefined => {
  const { InstanceType = "", InstanceCount = 1 } = spec.ProcessingResources.ClusterConfig;
  return metered(status, InstanceType, InstanceCount, now);
};

export const meterTransform = (spec: TransformJobSpec, status: JobStatus, now: Date): Metered | undefined =>
  metered(status, spec.TransformResources.InstanceType, spec.TransformResources.InstanceCount, now);

/** How long a warm pool was kept, or has been so far. */
function retainedSeconds({ WarmPoolStatus: pool, retainedAt }: TrainingJobStatus, now: Date): number {
  if (pool?.Status === "Available" && retainedAt) return secondsBetween(retainedAt, now);
  return pool?.ResourceRetainedBillableTimeInSeconds ?? 0;
}

/** All attempts together; of spot capacity what is billed, and what it saved. */
export function meterTraining(spec: TrainingJobSpec, status: TrainingJobStatus, now: Date): Metered | undefined {
  const { TrainingStartTime: startedAt, TrainingEndTime: endedAt } = status;
  if (!startedAt) return undefined;
  const seconds = status.TrainingTimeInSeconds ?? ranSeconds(status, now);
  const billedSeconds = status.BillableTimeInSeconds ?? seconds;
  const { InstanceType: instanceType = "", InstanceCount: instances = 1 } = spec.ResourceConfig ?? {};
  return {
    instanceType,
    instances,
    startedAt,
    endedAt,
    billedSeconds,
    savedSeconds: Math.max(0, seconds - billedSeconds),
    retainedSeconds: retainedSeconds(status, now),
  };
}
