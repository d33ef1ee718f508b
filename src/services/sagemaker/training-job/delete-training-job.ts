import { operation } from "../context.ts";
import { cannotDelete } from "./errors.ts";
import { isSettled, trainingJob, visibleStatus } from "./training-job.resource.ts";

/** Only a job that has ended; its artifacts and logs stay. */
export const deleteTrainingJob = operation("DeleteTrainingJob", async ({ TrainingJobName }, ctx) => {
  await ctx.resources.delete(trainingJob, TrainingJobName, ({ arn, status, intent }) => {
    if (!isSettled(status)) throw cannotDelete(arn, visibleStatus(status, intent).TrainingJobStatus);
  });
  return {};
});
