// Managed spot training: capacity that may be taken back, and a job that goes on from its checkpoints (developer guide, "Managed Spot
// Training in Amazon SageMaker").
import { validationError } from "../../../lib/aws-error.ts";
import type { CreateTrainingJobRequest } from "../../../models/generated/sagemaker.ts";
import type { SagemakerPlatform } from "../context.ts";
import { defaultRuntimeSeconds } from "../jobs/job-kind.ts";
import type { ObservedTask } from "../tasks/observed-task.ts";
import type { Job } from "./job-step.ts";
import type { TrainingJobSpec } from "./training-job.resource.ts";

export const isSpot = (spec: TrainingJobSpec): boolean => spec.EnableManagedSpotTraining === true;

/** Throws in AWS's words. */
export function checkSpot({ EnableManagedSpotTraining, StoppingCondition: stopping }: CreateTrainingJobRequest): void {
  const wait = stopping?.MaxWaitTimeInSeconds;
  const runtime = stopping?.MaxRuntimeInSeconds ?? defaultRuntimeSeconds;
  if (EnableManagedSpotTraining !== true) {
    if (wait !== undefined)
      throw validationError("MaxWaitTimeInSeconds can only be used when EnableManagedSpotTraining is set to true.");
    return;
  }
  if (wait === undefined || wait < runtime)
    throw validationError(
      "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds.",
    );
}

/** Waiting and running together took longer than the job may. */
export function hasWaitedTooLong(job: Job, now: Date): boolean {
  const wait = job.spec.StoppingCondition?.MaxWaitTimeInSeconds;
  return isSpot(job.spec) && wait !== undefined && now.getTime() >= job.createdAt.getTime() + wait * 1_000;
}

/** Whether the policy takes the instances of this attempt back now. */
export function isTakenBack(
  { spot }: Pick<SagemakerPlatform, "spot">,
  job: Job,
  tasks: readonly ObservedTask[],
  now: Date,
): boolean {
  if (!isSpot(job.spec)) return false;
  const starts = tasks.map((task) => task.phaseStarts.running).filter((at) => at !== undefined);
  const after = spot.interruptedAfterMs(job.spec.ResourceConfig?.InstanceType ?? "", job.uid, job.status.attempt);
  return after !== undefined && starts.length > 0 && now.getTime() >= Math.min(...starts) + after;
}
