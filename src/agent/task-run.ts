// What the steps of one task share.
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import type { HostFacts, TaskPaths } from "../task/task-folder.ts";
import type { TaskSpec } from "../task/task.ts";
import type { Gateway } from "./gateway.ts";
import type { MachineDevices } from "./machine-devices.ts";
import type { Reporter } from "./reporter.ts";
import type { Runner } from "./runners/runner.ts";
import type { ServerConnection } from "./server-connection.ts";
import type { FolderUploads } from "./upload-folders.ts";
import type { StateFile } from "./task-state.ts";

export interface TaskRun {
  readonly spec: TaskSpec;
  readonly paths: TaskPaths;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly state: StateFile;
  readonly connection: ServerConnection;
  readonly reporter: Reporter;
  readonly runner: Runner;
  readonly uploads: FolderUploads;
  /** What the machine offers, as the backend found it. */
  readonly host: HostFacts;
  /** Accelerators of this machine. */
  readonly devices: MachineDevices;
  /** The agent's own, where pip and uv find their settings. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Somebody wants the task to end: the server, or the backend by its stop file. */
  readonly stopAsked: AbortController;
  /** Nobody wants the task, or its folder, any more. */
  readonly abandoned: AbortController;
  /** What is open and must be closed at the end. */
  readonly doors: { gateway?: Gateway; credentials?: Gateway; models?: { readonly address: string; close(): void } };
}

export const nowMs = ({ clock }: Pick<TaskRun, "clock">): number => clock.now().getTime();

/** A line of the agent's own among what the program prints. */
export const tellUser = (run: Pick<TaskRun, "clock" | "reporter">, text: string): void =>
  run.reporter.tell({ type: "output", lines: [{ at: nowMs(run), text }] });
