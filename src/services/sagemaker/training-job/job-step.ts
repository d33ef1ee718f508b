// The types that the reconciler of training jobs and its parts share.
import type { Observed, Outcome, Step } from "../../../engine/reconciler.ts";
import type { SagemakerPlatform } from "../context.ts";
import type { TrainingJobIntent, TrainingJobSpec, TrainingJobStatus } from "./training-job.resource.ts";

export type Job = Observed<TrainingJobSpec, TrainingJobIntent, TrainingJobStatus>;
export type JobStep = Step<TrainingJobSpec, TrainingJobIntent, TrainingJobStatus>;
export type JobOutcome = Outcome<TrainingJobStatus>;

export type TrainingPlatform = Omit<SagemakerPlatform, "metrics" | "logs" | "identity" | "nudge">;
