import type { UpdateTrainingJobRequest } from "../../../models/generated/sagemaker.ts";
import { operation } from "../context.ts";
import { notImplemented } from "../not-implemented.ts";
import { cannotUpdate, noWarmPool } from "./errors.ts";
import { isSettled, trainingJob, type TrainingJob, type TrainingJobSpec } from "./training-job.resource.ts";
import { visiblePool } from "./visible-pool.ts";

/** The time that a warm pool is kept may be changed while it waits; 0 ends it. */
function withKeepAlive({ spec, status, intent }: TrainingJob, seconds: number): TrainingJobSpec {
  if (visiblePool(status, intent)?.Status !== "Available") throw noWarmPool();
  return { ...spec, ResourceConfig: { ...spec.ResourceConfig, KeepAlivePeriodInSeconds: seconds } };
}

function changedSpec(job: TrainingJob, input: UpdateTrainingJobRequest): TrainingJobSpec | undefined {
  if (input.ResourceConfig) return withKeepAlive(job, input.ResourceConfig.KeepAlivePeriodInSeconds);
  if (isSettled(job.status)) throw cannotUpdate(job.status.TrainingJobStatus);
  if (!input.ProfilerConfig) return undefined;
  return { ...job.spec, ProfilerConfig: { ...job.spec.ProfilerConfig, ...input.ProfilerConfig } };
}

/** The profiler's settings are stored, as at creation; nothing here profiles yet. */
export const updateTrainingJob = operation("UpdateTrainingJob", async (input, ctx) => {
  if ((input.ProfilerRuleConfigurations ?? []).length > 0) throw notImplemented("ProfilerRuleConfigurations");
  if (input.RemoteDebugConfig) throw notImplemented("RemoteDebugConfig");
  const job = await ctx.resources.change(trainingJob, input.TrainingJobName, (found) => {
    const spec = changedSpec(found, input);
    return spec && { spec };
  });
  return { TrainingJobArn: job.arn };
});
