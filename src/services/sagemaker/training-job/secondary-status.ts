// The walk of SecondaryStatus: Starting → Downloading → Training → Uploading → Completed, each step dated, with a message, never back.
import type {
  SecondaryStatus as AnySecondaryStatus,
  SecondaryStatusTransition as AnyTransition,
} from "../../../models/generated/sagemaker.ts";

export type SecondaryStatus = Extract<
  AnySecondaryStatus,
  | "Starting"
  | "Restarting"
  | "Interrupted"
  | "Downloading"
  | "Training"
  | "Stopping"
  | "Uploading"
  | "Completed"
  | "Failed"
  | "Stopped"
  | "MaxRuntimeExceeded"
  | "MaxWaitTimeExceeded"
>;

interface Transition extends AnyTransition {
  readonly Status: SecondaryStatus;
  /** Always there: SageMaker's Python SDK reads it unasked. */
  readonly StatusMessage: string;
}

export interface Walk {
  readonly SecondaryStatus: SecondaryStatus;
  readonly SecondaryStatusTransitions: readonly Transition[];
}

const messages: Readonly<Record<SecondaryStatus, string>> = {
  Starting: "Launching requested ML instances",
  Restarting: "Restarting the training job: an instance was lost",
  Interrupted: "Interrupted the training job: its spot capacity was taken back",
  Downloading: "Downloading input data",
  Training: "Training image download completed. Training in progress.",
  Stopping: "Stopping the training job",
  Uploading: "Uploading generated training model",
  Completed: "Training job completed",
  Failed: "Training job failed",
  Stopped: "Training job stopped",
  MaxRuntimeExceeded: "Training job runtime exceeded MaxRuntimeInSeconds provided",
  MaxWaitTimeExceeded: "Training job waited and ran longer than MaxWaitTimeInSeconds provided",
};

const ranks: Readonly<Record<SecondaryStatus, number>> = {
  Starting: 0,
  Restarting: 0,
  Interrupted: 0,
  Downloading: 1,
  Training: 2,
  Stopping: 3,
  Uploading: 4,
  Completed: 5,
  Failed: 5,
  Stopped: 5,
  MaxRuntimeExceeded: 5,
  MaxWaitTimeExceeded: 5,
};

const lastRank = 5;

export const walkFrom = (at: Date): Walk => ({
  SecondaryStatus: "Starting",
  SecondaryStatusTransitions: [{ Status: "Starting", StartTime: at, StatusMessage: messages.Starting }],
});

/** Without whatever else came with it: the answer is spread into a status. */
export const walkOf = ({ SecondaryStatus, SecondaryStatusTransitions }: Walk): Walk => ({
  SecondaryStatus,
  SecondaryStatusTransitions,
});

/** Another message for where the job stands. */
export function say(walk: Walk, message: string): Walk {
  const last = walk.SecondaryStatusTransitions.at(-1);
  if (!last || last.StatusMessage === message) return walkOf(walk);
  return {
    SecondaryStatus: walk.SecondaryStatus,
    SecondaryStatusTransitions: [...walk.SecondaryStatusTransitions.slice(0, -1), { ...last, StatusMessage: message }],
  };
}

/** Where a walk begins anew. */
const isNewStart = (from: SecondaryStatus, to: SecondaryStatus): boolean =>
  to === "Restarting" || to === "Interrupted" || (from === "Interrupted" && to === "Starting");

/** Goes on to `to`; stays where it is when that is not forward. Only Restarting and Interrupted begin the walk anew. */
export function moveTo(walk: Walk, to: SecondaryStatus, at: Date, message: string = messages[to]): Walk {
  const last = walk.SecondaryStatusTransitions.at(-1);
  const isEnded = ranks[walk.SecondaryStatus] === lastRank;
  if (isEnded || (!isNewStart(walk.SecondaryStatus, to) && ranks[to] <= ranks[walk.SecondaryStatus]))
    return walkOf(walk);
  // Agents' clocks are not ours: no step starts before the one it follows.
  const start = last && at < last.StartTime ? last.StartTime : at;
  const done = walk.SecondaryStatusTransitions.map((transition) =>
    transition === last ? { ...transition, EndTime: start } : transition,
  );
  const isLast = ranks[to] === lastRank;
  return {
    SecondaryStatus: to,
    SecondaryStatusTransitions: [
      ...done,
      { Status: to, StartTime: start, ...(isLast ? { EndTime: start } : {}), StatusMessage: message },
    ],
  };
}
