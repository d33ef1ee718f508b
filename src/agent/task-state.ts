// What an agent has achieved, on disk: a restarted agent goes on from here. Replaced in one piece.
import { closeSync, fdatasyncSync, openSync, renameSync, writeSync } from "node:fs";
import { errorCode } from "../lib/error-code.ts";
import type { Log } from "../lib/log.ts";
import type { Bind } from "./binds.ts";
import type { TaskEnd } from "../task/report.ts";
import { readOwnJson, type TaskPaths } from "../task/task-folder.ts";

export interface AgentState {
  /** staging → releasing → running → uploading → ending → done. Each step may be repeated from its start. */
  readonly step: "staging" | "releasing" | "running" | "uploading" | "ending" | "done";
  /** Boot in which the release was decided: after a power cut a program without a trace is lost, not started again. */
  readonly releaseBootId?: string;
  /** Where the model listens. */
  readonly port?: number;
  /** Where the invocations of a multi-model container arrive. */
  readonly modelDoorPort?: number;
  readonly gateway?: {
    readonly port: number;
    readonly token: string;
    /** Where it also is, for SDKs that take credentials from there alone. */
    readonly credentials?: { readonly host: string; readonly port: number };
  };
  /** A hosting task answered /ping once. */
  readonly wasReady?: boolean;
  readonly stop?: StopState;
  /** Folder of the Python environment of a framework image. */
  readonly python?: string;
  /** What the program sees without a copy. */
  readonly binds?: readonly Bind[];
  /** Pipe mode: epochs that each channel is through with. */
  readonly pipes?: Readonly<Record<string, number>>;
  /** Pipe mode: channels whose epoch is being read at this moment. */
  readonly openPipes?: Readonly<Record<string, boolean>>;
  /** Why the data of a pipe could not be brought. */
  readonly pipeProblem?: string;
  /** Of a batch transform that is over: why it failed, if it did. */
  readonly transform?: { readonly problem?: string };
  /** Set from the step "uploading" on. */
  readonly end?: TaskEnd;
}

/** After a restart: whether a reader of Pipe mode may have seen the end of an epoch that was cut off. */
export const wasCutOff = ({ openPipes = {} }: AgentState): boolean => Object.values(openPipes).includes(true);

export interface StopState {
  /** finished: a model that has transformed everything. */
  readonly why: "stopped" | "timed-out" | "not-ready" | "disk-full" | "finished" | "no-data";
  /** ms since 1970. */
  readonly killAt: number;
}

export interface StateFile {
  readonly current: AgentState;
  /** Durable when it returns, unless the disk is full. */
  save(change: Partial<AgentState>): void;
}

/** Writes a file so that readers, and a machine that loses power, see the old or the new text. */
export function replaceFile(path: string, text: string, mode = 0o600): void {
  const temporary = `${path}.new`;
  const file = openSync(temporary, "w", mode);
  try {
    writeSync(file, text);
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

const isFull = (error: unknown): boolean => ["ENOSPC", "EDQUOT"].includes(errorCode(error) ?? "");

/**
 * The same, but on a full disk it answers false, and the old text stays: whoever has the new one in memory goes on with it, and
 * only an agent that dies before there is space again repeats a step or a line of output.
 */
export function replacedFile(path: string, text: string): boolean {
  try {
    replaceFile(path, text);
    return true;
  } catch (error) {
    if (!isFull(error)) throw error;
    return false;
  }
}

export function openState(paths: TaskPaths, log: Pick<Log, "warn">): StateFile {
  let current = readOwnJson<AgentState>(paths.state) ?? { step: "staging" };
  return {
    get current() {
      return current;
    },
    save: (change) => {
      current = { ...current, ...change };
      if (!replacedFile(paths.state, JSON.stringify(current)))
        log.warn("the disk is full: the task's state is kept in memory", { step: current.step });
    },
  };
}
