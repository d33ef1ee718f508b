// Where tasks run. Implementations: process/ (detached agents on this machine), docker/ (the same for container images), fake/ (tests).
import type { TaskSpec } from "../task/task.ts";

export type BackendFeature = "gpu" | "neuron" | "multi-instance" | "network-isolation" | "images";

export interface TaskState {
  /** starting: the agent is being started; alive: an agent holds the task (or a dead one was just restarted); gone: ended and cleaned up, or never existed on this machine although its folder does. */
  readonly state: "starting" | "alive" | "ended";
  /** Set when the agent could not be started. */
  readonly problem?: string;
}

/** Runs tasks somewhere, each with its agent. Every method returns promptly; none waits for a task to change state, none reads an agent's files. */
export interface ComputeBackend {
  readonly name: string;
  /** "images": container images run here, as far as can be told at once. */
  readonly features: ReadonlySet<BackendFeature>;
  /** Whether an image is here under one of these names, without a pull. */
  hasImage(names: readonly string[]): Promise<boolean>;
  /** Starting the same key twice yields one task. Throws CapacityError when a retry may help, ImageError when it never will. */
  start(task: TaskSpec): Promise<void>;
  /** Undefined once the backend has no trace of the key. A task whose agent died is given a new agent (which adopts it). */
  inspect(key: string): Promise<TaskState | undefined>;
  /** Asks the task to end. Repeat until `inspect` reports it ended or gone. */
  stop(key: string, graceSeconds: number): Promise<void>;
  /** Forgets an ended task: its folder goes. Ends it first (SIGKILL) if it still runs. Unknown keys are fine. */
  remove(key: string): Promise<void>;
  /** Every task this installation started; the orphan sweeper compares it with the database. */
  list(): AsyncIterable<string>;
}

/** No room now; a later try may succeed. */
export class CapacityError extends Error {}

/** This image or program can never run here. */
export class ImageError extends Error {}
