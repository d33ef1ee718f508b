import { operation } from "../context.ts";
import { isOver } from "../jobs/job-kind.ts";
import { cannotStop } from "./errors.ts";
import { processingJob } from "./processing-job.resource.ts";

/** Says only that it should end: SIGTERM, 120 s, SIGKILL are the agents' affair, the outcome is the reconciler's. */
export const stopProcessingJob = operation("StopProcessingJob", async ({ ProcessingJobName }, ctx) => {
  await ctx.resources.change(processingJob, ProcessingJobName, ({ status, intent }) => {
    if (isOver(status)) throw cannotStop(status.state);
    return intent.stopRequestedAt ? undefined : { intent: { ...intent, stopRequestedAt: ctx.clock.now() } };
  });
  return {};
});
