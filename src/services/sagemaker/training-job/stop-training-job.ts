import { operation } from "../context.ts";
import { cannotStop } from "./errors.ts";
import { isSettled, trainingJob } from "./training-job.resource.ts";

/** Says only that it should end: SIGTERM, 120 s, SIGKILL are the agents' affair, the outcome is the reconciler's. */
export const stopTrainingJob = operation("StopTrainingJob", async ({ TrainingJobName }, ctx) => {
  await ctx.resources.change(trainingJob, TrainingJobName, ({ status, intent }) => {
    if (isSettled(status)) throw cannotStop(status.TrainingJobStatus);
    return intent.stopRequestedAt ? undefined : { intent: { ...intent, stopRequestedAt: ctx.clock.now() } };
  });
  return {};
});
