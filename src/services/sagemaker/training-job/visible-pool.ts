// The warm pool of a training job as requests see it.
import type { WarmPoolStatus } from "../../../models/generated/sagemaker.ts";
import type { TrainingJobIntent, TrainingJobStatus } from "./training-job.resource.ts";

export const secondsBetween = (from: Date, to: Date): number =>
  Math.max(0, Math.ceil((to.getTime() - from.getTime()) / 1_000));

export const isRetained = ({ WarmPoolStatus: pool }: Pick<TrainingJobStatus, "WarmPoolStatus">): boolean =>
  pool?.Status === "Available";

/** What a request sees: a pool that another job has taken is gone at once, and time goes on while it waits. */
export function visiblePool(
  { WarmPoolStatus: pool, retainedAt }: Pick<TrainingJobStatus, "WarmPoolStatus" | "retainedAt">,
  { reusedBy, reusedAt }: TrainingJobIntent,
): WarmPoolStatus | undefined {
  if (pool?.Status !== "Available" || reusedBy === undefined || !reusedAt) return pool;
  const ResourceRetainedBillableTimeInSeconds = secondsBetween(retainedAt ?? reusedAt, reusedAt);
  return { Status: "Reused", ResourceRetainedBillableTimeInSeconds, ReusedByJob: reusedBy };
}
