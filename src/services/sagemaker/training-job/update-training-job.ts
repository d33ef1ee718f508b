import { operation } from "../context.ts";
import { notImplemented } from "../not-implemented.ts";
import { cannotUpdate } from "./errors.ts";
import { isSettled, trainingJob } from "./training-job.resource.ts";

/** The profiler's settings are stored, as at creation; nothing here profiles yet. */
export const updateTrainingJob = operation("UpdateTrainingJob", async (input, ctx) => {
  if ((input.ProfilerRuleConfigurations ?? []).length > 0) throw notImplemented("ProfilerRuleConfigurations");
  if (input.ResourceConfig) throw notImplemented("ResourceConfig.KeepAlivePeriodInSeconds");
  if (input.RemoteDebugConfig) throw notImplemented("RemoteDebugConfig");
  const job = await ctx.resources.change(trainingJob, input.TrainingJobName, ({ spec, status }) => {
    if (isSettled(status)) throw cannotUpdate(status.TrainingJobStatus);
    if (!input.ProfilerConfig) return undefined;
    return { spec: { ...spec, ProfilerConfig: { ...spec.ProfilerConfig, ...input.ProfilerConfig } } };
  });
  return { TrainingJobArn: job.arn };
});
