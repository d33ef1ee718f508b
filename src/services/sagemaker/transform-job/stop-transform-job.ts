import { operation } from "../context.ts";
import { isOver } from "../jobs/job-kind.ts";
import { cannotStop } from "./errors.ts";
import { transformJob } from "./transform-job.resource.ts";

/** Says only that it should end; the outcome is the reconciler's. */
export const stopTransformJob = operation("StopTransformJob", async ({ TransformJobName }, ctx) => {
  await ctx.resources.change(transformJob, TransformJobName, ({ status, intent }) => {
    if (isOver(status)) throw cannotStop(status.state);
    return intent.stopRequestedAt ? undefined : { intent: { ...intent, stopRequestedAt: ctx.clock.now() } };
  });
  return {};
});
