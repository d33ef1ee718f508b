// What a kind of job tells the reconciler that all of them share.
import type { Outcome, Observed } from "../../../engine/reconciler.ts";
import type { TaskSpec } from "../../../task/task.ts";
import type { JobPlanLine } from "../channels/channel-planner.ts";
import type { SagemakerPlatform } from "../context.ts";
import type { Metered } from "../cost/charge.ts";
import type { TaskRow } from "../tasks/task-owner.ts";

/** Of a request without MaxRuntimeInSeconds: a day, as on AWS. */
export const defaultRuntimeSeconds = 86_400;

export type JobState = "InProgress" | "Stopping" | "Completed" | "Failed" | "Stopped";

export interface JobIntent {
  readonly stopRequestedAt?: Date;
}

export interface JobStatus {
  readonly state: JobState;
  readonly failureReason?: string;
  /** What the program left for its user (processing). */
  readonly exitMessage?: string;
  /** When the first instance began. */
  readonly startedAt?: Date;
  readonly endedAt?: Date;
  /** 0, and one more with every restart after the loss of an instance that had not run yet. */
  readonly attempt: number;
  /** Blob of the plan. */
  readonly planBlob?: string;
  /** When the tasks of this attempt were started; null between attempts. */
  readonly launchedAt?: Date | null;
}

export const jobAtStart: JobStatus = { state: "InProgress", attempt: 0 };

export const isOver = ({ state }: { readonly state: string }): boolean =>
  state !== "InProgress" && state !== "Stopping";

/** A stop is visible at once, before a reconciler has seen it. */
export const visibleState = ({ state }: JobStatus, { stopRequestedAt }: JobIntent): JobState =>
  stopRequestedAt && state === "InProgress" ? "Stopping" : state;

export type Job<Spec> = Observed<Spec, JobIntent, JobStatus>;
export type JobOutcome = Outcome<JobStatus>;
export type JobPlatform = Omit<SagemakerPlatform, "metrics" | "logs" | "identity" | "nudge">;

/** Why a job cannot run; the message is its FailureReason. */
export class JobProblem extends Error {}

export interface JobKind<Spec> {
  /** Row kind. */
  readonly kind: string;
  instanceCount(spec: Spec): number;
  /** What is paid for it. */
  meter(spec: Spec, status: JobStatus, now: Date): readonly Metered[];
  /** Seconds between SIGTERM and SIGKILL when the job is stopped. */
  readonly stopGraceSeconds: number;
  /** An instance whose program fails leaves the others to finish their share. Default: they are stopped. */
  readonly areIndependent?: boolean;
  /** Fixes once what the job reads. Throws JobProblem, InputDataError or ArtifactError. */
  plan(job: Job<Spec>): AsyncIterable<JobPlanLine>;
  /** One per row, in the rows' order. Throws ImageError. */
  taskSpecs(job: Job<Spec>, tasks: readonly TaskRow[]): Promise<TaskSpec[]>;
}

const keyPrefix = (uid: string, attempt: number): string => (attempt === 0 ? `${uid}-` : `${uid}-r${attempt}-`);

/** `<uid>-algo-1`, …; a restarted job has keys of its own, so that nothing late from before can be taken for it. */
export const jobTaskKeys = (uid: string, attempt: number, instances: number): string[] =>
  Array.from({ length: instances }, (_, at) => `${keyPrefix(uid, attempt)}algo-${at + 1}`);

/** 1 for algo-1. */
export const instanceOf = (task: { readonly key: string }): number => Number(/-algo-(\d+)$/.exec(task.key)?.[1] ?? 0);
