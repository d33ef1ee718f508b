// Tasks as processes of this machine: one folder and one detached agent each. The folder is the task: what has one exists.
import { spawn, type ChildProcess } from "node:child_process";
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import { findSystemProgram, probeNamespaces } from "../../lib/probe-namespaces.ts";
import {
  currentBootId,
  identifyProcess,
  isRunning,
  membersOf,
  processesMarked,
  signalProcess,
  type ProcessIdentity,
} from "../../lib/process-identity.ts";
import type { Random } from "../../lib/random.ts";
import {
  readOwnJson,
  readWaiter,
  taskMark,
  taskPaths,
  type HostFacts,
  type StopWish,
  type TaskPaths,
} from "../../task/task-folder.ts";
import type { TaskSpec } from "../../task/task.ts";
import type { ComputeBackend, TaskState } from "../backend.ts";
import { removeFolder } from "./remove-folder.ts";

export interface ProcessBackendOptions {
  /** Tasks live in `tasks/` below it. */
  readonly dataFolder: string;
  /** The command that starts the CLI: "agent" and the folder are appended. */
  readonly entry: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Helps with files of other users in a folder that is to go, which containers have left there. */
  readonly makeRemovable?: (folder: string) => Promise<void>;
  /** False keeps programs out of namespaces even where they work. */
  readonly usesNamespaces?: boolean;
}

/** An agent that fails this often, one right after the other, will not do better the next time. One that is killed is no failure. */
const mostCrashes = 5;
/** An agent that lived this long has not crashed at its start. */
const crashWithinMs = 10_000;

interface Spawned {
  readonly identity: ProcessIdentity;
  readonly atMs: number;
  /** Failures before this one. */
  readonly crashes: number;
  /** Undefined until it has ended, and node has told us. */
  ending?: "failed" | "killed" | "left";
}

export function createProcessBackend(options: ProcessBackendOptions): ComputeBackend {
  const { dataFolder, clock, random, log } = options;
  const tasksFolder = join(dataFolder, "tasks");
  const spawned = new Map<string, Spawned>();
  let hostFacts: HostFacts | undefined;
  const pathsOf = (key: string): TaskPaths => taskPaths(join(tasksFolder, checkedKey(key)));

  const startAgent = (key: string, crashes: number): void => {
    const child = spawnAgent(pathsOf(key), options.entry);
    const identity = child.pid === undefined ? undefined : identifyProcess(child.pid);
    const agent: Spawned = { identity: identity ?? nobody, atMs: clock.monotonicMs(), crashes };
    spawned.set(key, agent);
    child.on("error", (error) => {
      log.error("an agent could not be started", { key, error });
      agent.ending = "failed";
    });
    child.on("exit", (code) => {
      agent.ending = code === null ? "killed" : code === 0 ? "left" : "failed";
    });
  };

  return {
    name: "process",
    features: new Set(["multi-instance", "network-isolation"] as const),
    start: async (task) => {
      const paths = pathsOf(task.key);
      if (existsSync(paths.task)) return;
      hostFacts ??= factsOfHost(options);
      makeFolder(tasksFolder, paths, task, hostFacts, random);
      startAgent(task.key, 0);
      log.info("task started", { key: task.key });
    },
    hasImage: async () => false,
    inspect: async (key) => {
      const paths = pathsOf(key);
      if (!existsSync(paths.task)) return undefined;
      return stateOf(
        key,
        paths,
        spawned.get(key),
        (crashes) => {
          log.warn("an agent is gone: its task gets a new one", { key, crashes });
          startAgent(key, crashes);
        },
        clock.monotonicMs(),
      );
    },
    stop: async (key, graceSeconds) => askToStop(pathsOf(key), { graceSeconds }),
    remove: async (key) => {
      const paths = pathsOf(key);
      endProcesses(key, paths, spawned.get(key)?.identity);
      spawned.delete(key);
      const aside = join(tasksFolder, `.gone-${random.uuid()}`);
      // Out of sight at once: a waiter that an agent has just made finds no folder any more, or is found here.
      if (existsSync(paths.folder)) renameSync(paths.folder, aside);
      for (const each of processesMarked(taskMark(key))) signalProcess(each.pid, "SIGKILL");
      await clearAway(aside, options);
    },
    list: () => listKeys(tasksFolder, options),
  };
}

/** Longer than a server, this one or another that shares the folder, takes to make a task's folder. */
const halfDoneForMs = 60_000;

/** A folder half made or half removed by a server that was killed goes; one that a server makes just now does not. */
async function removeHalfDone(folder: string, isNew: boolean, options: ProcessBackendOptions): Promise<void> {
  const touchedMs = isNew ? statSync(folder, { throwIfNoEntry: false })?.ctimeMs : 0;
  const isOld = touchedMs !== undefined && touchedMs < options.clock.now().getTime() - halfDoneForMs;
  if (isOld) await clearAway(folder, options);
}

/** Out of sight already: what cannot be removed now is tried again when the tasks are listed. */
async function clearAway(folder: string, { makeRemovable, log }: ProcessBackendOptions): Promise<void> {
  try {
    await removeFolder(folder, makeRemovable);
  } catch (error) {
    log.warn("a task's folder cannot be removed now", { folder, error });
  }
}

async function* listKeys(tasksFolder: string, options: ProcessBackendOptions): AsyncGenerator<string> {
  if (!existsSync(tasksFolder)) return;
  for (const name of readdirSync(tasksFolder)) {
    if (name.startsWith(".")) await removeHalfDone(join(tasksFolder, name), name.startsWith(".new-"), options);
    else yield name;
  }
}

function askToStop(paths: TaskPaths, wish: StopWish): void {
  if (!existsSync(paths.task) || existsSync(paths.stop)) return;
  writeFileSync(`${paths.stop}.new`, JSON.stringify(wish));
  renameSync(`${paths.stop}.new`, paths.stop);
}

const nobody: ProcessIdentity = { pid: 0, startTime: "", bootId: "never" };

/** Keys become folder names. Throws for what is none of ours. */
function checkedKey(key: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,200}$/.test(key)) throw new Error(`${JSON.stringify(key)} cannot be a task's key`);
  return key;
}

function factsOfHost({ dataFolder, usesNamespaces = true, log }: ProcessBackendOptions): HostFacts {
  const uv = findSystemProgram("uv");
  const facts = { environments: join(dataFolder, "environments"), ...(uv === undefined ? {} : { uv }) };
  if (!usesNamespaces) return facts;
  const support = probeNamespaces();
  if (support.works) return { ...facts, bwrap: support.bwrap };
  log.warn("tasks run without namespaces", { reason: support.reason });
  return facts;
}

/** The folder appears with everything in it, or not at all. */
function makeFolder(tasksFolder: string, paths: TaskPaths, task: TaskSpec, facts: HostFacts, random: Random): void {
  mkdirSync(tasksFolder, { recursive: true, mode: 0o700 });
  const fresh = taskPaths(join(tasksFolder, `.new-${random.uuid()}`));
  mkdirSync(fresh.folder, { mode: 0o700 });
  writeDurably(fresh.host, JSON.stringify(facts));
  writeDurably(fresh.task, JSON.stringify(task));
  try {
    renameSync(fresh.folder, paths.folder);
  } catch (error) {
    rmSync(fresh.folder, { recursive: true, force: true });
    // Somebody else started the same key in between: that is the one task.
    if (!existsSync(paths.task)) throw error;
  }
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeSync(file, text);
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
}

function spawnAgent(paths: TaskPaths, entry: readonly string[]): ChildProcess {
  const [command, ...args] = entry;
  if (command === undefined) throw new Error("the agent needs a command");
  const agentLog = openSync(paths.agentLog, "a", 0o600);
  try {
    const stdio = ["ignore", agentLog, agentLog] as const;
    const child = spawn(command, [...args, "agent", paths.folder], { detached: true, stdio: [...stdio], cwd: "/" });
    child.unref();
    return child;
  } finally {
    closeSync(agentLog);
  }
}

const isDone = (paths: TaskPaths): boolean => readOwnJson<{ step: string }>(paths.state)?.step === "done";

function agentIsAlive(paths: TaskPaths, spawned: Spawned | undefined): boolean {
  if (spawned && isRunning(spawned.identity)) return true;
  const known = readOwnJson<ProcessIdentity>(paths.agent);
  return known !== undefined && isRunning(known);
}

function stateOf(
  key: string,
  paths: TaskPaths,
  spawned: Spawned | undefined,
  restart: (crashes: number) => void,
  nowMs: number,
): TaskState {
  if (agentIsAlive(paths, spawned)) return { state: existsSync(paths.agent) ? "alive" : "starting" };
  if (isDone(paths)) return { state: "ended" };
  if (spawned && spawned.ending === undefined) return { state: "alive" };
  const crashes = crashesOf(spawned, nowMs);
  if (crashes >= mostCrashes)
    return { state: "ended", problem: `the agent of ${key} ended ${crashes} times in a row; see ${paths.agentLog}` };
  restart(crashes);
  return { state: "alive" };
}

function crashesOf(spawned: Spawned | undefined, nowMs: number): number {
  if (spawned?.ending !== "failed") return 0;
  return nowMs - spawned.atMs < crashWithinMs ? spawned.crashes + 1 : 1;
}

/** SIGKILL for the agent, then the program, then its waiter; each only if it is the process that we know. */
function endProcesses(key: string, paths: TaskPaths, spawned: ProcessIdentity | undefined): void {
  for (const agent of [spawned, readOwnJson<ProcessIdentity>(paths.agent)])
    if (agent && isRunning(agent)) signalProcess(agent.pid, "SIGKILL");
  const waiter = readWaiter(paths);
  if (!waiter || waiter.bootId !== currentBootId()) return;
  const killMembers = (): void => {
    for (const each of membersOf(waiter, taskMark(key))) signalProcess(each.pid, "SIGKILL");
  };
  killMembers();
  if (isRunning(waiter)) signalProcess(waiter.pid, "SIGKILL");
  killMembers();
}
