// The folder of a task on a machine: what the process backend writes, what the agent keeps, what the waiter leaves.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "../lib/error-code.ts";
import { currentBootId, identifyProcess, parseStatLine, type ProcessIdentity } from "../lib/process-identity.ts";

export interface TaskPaths {
  readonly folder: string;
  /** TaskSpec, written once before the agent starts. */
  readonly task: string;
  /** HostFacts, written beside it. */
  readonly host: string;
  /** Made by the backend: the task should end. Holds StopWish. */
  readonly stop: string;
  /** ProcessIdentity of the agent that holds the task. */
  readonly agent: string;
  readonly agentLog: string;
  readonly state: string;
  readonly reports: string;
  /** What was stored of the upload folders. */
  readonly uploads: string;
  /** What the program wrote to stdout and stderr. */
  readonly output: string;
  /** A folder made by the waiter before the program starts: never twice. */
  readonly started: string;
  readonly waiter: string;
  /** The program's exit code in digits, by the waiter. */
  readonly exit: string;
  readonly startScript: string;
  readonly hosts: string;
  /** Becomes /opt/ml. */
  readonly root: string;
  /** Folders that the program sees below /opt/ml, and never writes: a FastFile channel each. */
  readonly lent: string;
  /** Becomes /tmp. */
  readonly temporary: string;
}

export interface HostFacts {
  /** Path of bwrap where namespaces work. */
  readonly bwrap?: string;
  /** Path of uv, where it is installed. */
  readonly uv?: string;
  /** Folder of the managed Python environments, shared by all tasks. */
  readonly environments?: string;
}

export interface StopWish {
  readonly graceSeconds: number;
}

export const lockName = "agent.lock";

export function taskPaths(folder: string): TaskPaths {
  const at = (name: string): string => join(folder, name);
  return {
    folder,
    task: at("task.json"),
    host: at("host.json"),
    stop: at("stop"),
    agent: at("agent.json"),
    agentLog: at("agent.log"),
    state: at("state.json"),
    reports: at("reports"),
    uploads: at("uploads"),
    output: at("output.log"),
    started: at("started"),
    waiter: at("started/waiter"),
    exit: at("exit"),
    startScript: at("start.sh"),
    hosts: at("hosts"),
    root: at("root"),
    lent: at("lent"),
    temporary: at("tmp"),
  };
}

/** The text of a file, undefined when there is none. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Parsed JSON of a file written by Salvia itself in one piece. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what was written: this is the parsed boundary
export function readOwnJson<T>(path: string): T | undefined {
  const text = readIfThere(path);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

/** Marks every process of a task in its environment, so that strays are found. */
export const taskMark = (key: string): string => `SALVIA_TASK_KEY=${key}`;

/** The waiter's identity as it wrote it itself; undefined before, and while it writes. */
export function readWaiter(paths: TaskPaths): ProcessIdentity | undefined {
  const [pidText, stat, bootId, end] = (readIfThere(paths.waiter) ?? "").split("\n");
  if (end !== "end" || pidText === undefined || stat === undefined || bootId === undefined) return undefined;
  const pid = Number(pidText);
  if (stat === "") return identifyProcess(pid) ?? { pid, startTime: "", bootId: currentBootId() };
  const startTime = parseStatLine(stat)?.startTime;
  return startTime === undefined ? undefined : { pid, startTime, bootId };
}
