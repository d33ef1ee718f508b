// The program beside one task: stage in → release → follow → upload → report the end. Every step may be repeated; what was reached
// stands in state.json, so that an agent killed at any instant and started again goes on.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import type { Clock } from "../lib/clock.ts";
import { connectToEngine } from "../lib/docker-engine.ts";
import { lockFolder } from "../lib/folder-lock.ts";
import type { Log } from "../lib/log.ts";
import { probeNamespaces } from "../lib/probe-namespaces.ts";
import { identifyProcess } from "../lib/process-identity.ts";
import type { Random } from "../lib/random.ts";
import type { TaskEnd } from "../task/report.ts";
import { lockName, readOwnJson, taskPaths, type HostFacts, type TaskPaths } from "../task/task-folder.ts";
import type { TaskSpec } from "../task/task.ts";
import { machineDevices } from "./machine-devices.ts";
import { followProgram } from "./follow-program.ts";
import { openDoors, openModels, prepareTask } from "./prepare-task.ts";
import { startReporter } from "./reporter.ts";
import { createDockerRunner, type DockerRunnerOptions } from "./runners/docker-runner.ts";
import { createProcessRunner, type ProcessRunnerOptions } from "./runners/process-runner.ts";
import type { Runner } from "./runners/runner.ts";
import type { ProgramAddresses } from "./runners/program-command.ts";
import { connectToServer } from "./server-connection.ts";
import { nowMs, tellUser, type TaskRun } from "./task-run.ts";
import { openState, replacedFile, type AgentState } from "./task-state.ts";
import type { FolderUploads, UploadFoldersOptions } from "./upload-folders.ts";

export interface AgentOptions {
  /** The task's folder, with task.json in it. */
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What starts the CLI, for built-in algorithms. Default: what started this process. */
  readonly entry?: string;
  /** Its own, where pip and uv find their settings. Default: nothing. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Resolves to the exit status once the server has acknowledged the end (0), or at once when there is nothing to do (0). */
export async function runAgent(options: AgentOptions): Promise<number> {
  const paths = taskPaths(resolve(options.folder));
  if (!existsSync(paths.task)) return 0;
  const lock = lockFolder(paths.folder, lockName);
  if (!lock) {
    options.log.info("another agent holds the task", { folder: paths.folder });
    return 0;
  }
  try {
    // The folder may have been removed before the lock was ours; then the lock made an empty one.
    if (existsSync(paths.task)) await serveTask(options, paths);
    else rmSync(paths.folder, { recursive: true, force: true });
    return 0;
  } finally {
    lock.release();
  }
}

async function serveTask(options: AgentOptions, paths: TaskPaths): Promise<void> {
  const identity = identifyProcess(process.pid);
  if (identity) replacedFile(paths.agent, JSON.stringify(identity));
  const run = createRun(options, paths);
  const watchStopFile = options.clock.every(200, () => {
    if (existsSync(paths.stop)) run.stopAsked.abort();
    if (!existsSync(paths.task)) run.abandoned.abort(new Error("the task's folder is gone"));
  });
  try {
    await walk(run);
  } catch (error) {
    // Without its folder every step fails in its own way.
    if (!run.abandoned.signal.aborted && existsSync(paths.task)) throw error;
    await abandon(run);
  } finally {
    watchStopFile();
    await run.reporter.close();
    run.doors.gateway?.close();
    run.doors.credentials?.close();
    run.doors.models?.close();
    run.connection.close();
  }
}

function createRun(options: AgentOptions, paths: TaskPaths): TaskRun {
  const { clock, random, log, entry = process.argv[1] ?? "", environment = {} } = options;
  const spec = JSON.parse(readFileSync(paths.task, "utf8")) as TaskSpec;
  const state = openState(paths, log);
  const stopAsked = new AbortController();
  const abandoned = new AbortController();
  const connection = connectToServer(spec.server, spec.key);
  const doors: TaskRun["doors"] = {};
  const host = hostFacts(paths);
  const devices = machineDevices();
  const shared = {
    spec,
    devices,
    paths,
    clock,
    log,
    addresses: () => addressesOf(run),
    binds: () => state.current.binds ?? [],
    signal: AbortSignal.any([stopAsked.signal, abandoned.signal]),
    tell: (message: string) =>
      reporter.tell({ type: "phase", at: clock.now().getTime(), phase: "downloading", message }),
  };
  const runner = createRunner(shared, { host, python: () => state.current.python, entry });
  const reporter = startReporter({
    paths,
    connection,
    clock,
    log,
    onStop: () => stopAsked.abort(),
    onGone: () => abandoned.abort(new Error("the server no longer knows the task")),
  });
  const uploads = lazyUploads({
    folders: spec.uploads ?? [],
    root: paths.root,
    logFile: paths.uploads,
    connection,
    clock,
    log,
    tellUser: (text) => tellUser(run, text),
  });
  const run: TaskRun = {
    spec,
    uploads,
    paths,
    host,
    devices,
    environment,
    clock,
    random,
    log,
    state,
    connection,
    reporter,
    runner,
    stopAsked,
    abandoned,
    doors,
  };
  return run;
}

/** Where the program listens, and where it finds its gateway. */
function addressesOf({ state, runner, doors }: TaskRun): ProgramAddresses {
  const { port, gateway } = state.current;
  const host = runner.gatewayHost();
  return {
    host,
    ...(port === undefined ? {} : { port }),
    ...(gateway && doors.gateway ? { gateway: gatewayAddresses(host, gateway) } : {}),
  };
}

function gatewayAddresses(
  host: string,
  { port, token, credentials }: NonNullable<AgentState["gateway"]>,
): NonNullable<ProgramAddresses["gateway"]> {
  const url = `http://${host}:${port}`;
  return { url, token, credentialsUrl: credentials ? `http://${credentials.host}:${credentials.port}` : url };
}

function createRunner(
  shared: Omit<DockerRunnerOptions, "program" | "place" | "engine">,
  { host, python, entry }: Pick<ProcessRunnerOptions, "entry" | "python"> & { readonly host: HostFacts },
): Runner {
  const { program, container } = shared.spec;
  if (program.kind === "image") {
    if (!container) throw new Error("an image runs on the Docker backend alone");
    return createDockerRunner({ ...shared, program, place: container, engine: connectToEngine(container.engine) });
  }
  return createProcessRunner({
    ...shared,
    bwrap: host.bwrap,
    ...(python === undefined ? {} : { python }),
    nodePath: process.execPath,
    entry,
  });
}

/** The backend has tried it once for all its tasks. */
function hostFacts(paths: TaskPaths): HostFacts {
  const facts = readOwnJson<HostFacts>(paths.host);
  if (facts) return facts;
  const support = probeNamespaces();
  return support.works ? { bwrap: support.bwrap } : {};
}

async function walk(run: TaskRun): Promise<void> {
  const { state, reporter } = run;
  if (state.current.step === "staging") {
    const early = await prepareTask(run);
    if (early) state.save({ step: "ending", end: early });
    else state.save({ step: "releasing" });
  } else {
    await openDoors(run);
    await openModels(run, "again");
  }
  if (state.current.step === "releasing" || state.current.step === "running")
    state.save({ step: "uploading", end: await followProgram(run) });
  const { end } = state.current;
  if (end === undefined) throw new Error("a task past its program has an end");
  if (state.current.step === "uploading") state.save({ step: "ending", end: await settle(run, end) });
  if (state.current.step === "ending") {
    const final = state.current.end ?? end;
    reporter.tell({ type: "phase", at: nowMs(run), phase: "exited" });
    await reporter.finish({ type: "end", at: nowMs(run), end: final });
    run.abandoned.signal.throwIfAborted();
    state.save({ step: "done" });
  }
}

/** Most tasks have none: an agent must start fast. */
function lazyUploads(options: UploadFoldersOptions): FolderUploads {
  if (options.folders.length === 0)
    return { noteRestored: async () => {}, watch: async () => {}, finish: async () => undefined };
  const made = import("./upload-folders.ts").then(({ folderUploads }) => folderUploads(options));
  return {
    noteRestored: async () => (await made).noteRestored(),
    watch: async (signal) => (await made).watch(signal),
    finish: async (hasSucceeded, signal) => (await made).finish(hasSucceeded, signal),
  };
}

const uploadingMessage = {
  training: "Uploading generated training model",
  processing: "Uploading processing outputs",
  transform: "Uploading results",
  hosting: "",
};

/** With the texts that the program has left, which may turn its end into a failure. */
async function endInWords({ spec, paths, state }: TaskRun, end: TaskEnd): Promise<TaskEnd> {
  const { NotUtf8Error, readExitMessage, readLastWords } = await import("./upload-results.ts");
  const failure = state.current.transform?.problem ?? end.failure ?? readLastWords(paths.root);
  const worded = { ...end, ...(failure === undefined ? {} : { failure }) };
  if (spec.purpose !== "processing") return worded;
  try {
    const message = readExitMessage(paths.root);
    return { ...worded, ...(message === undefined ? {} : { message }) };
  } catch (error) {
    if (!(error instanceof NotUtf8Error)) throw error;
    return hasSucceeded(end) ? { ...worded, exitCode: 1, failure: error.message } : worded;
  }
}

/** Words and results of a program that has ended. */
async function settle(run: TaskRun, told: TaskEnd): Promise<TaskEnd> {
  const { spec, paths, clock, log, connection, reporter, abandoned } = run;
  const { uploadResults } = await import("./upload-results.ts");
  if (spec.purpose !== "hosting") await run.runner.reclaim();
  const end = await endInWords(run, told);
  if (spec.purpose === "hosting") return end;
  // Of a lost instance's work nothing but its checkpoints is kept: that is no step of the job.
  if (end.how !== "lost")
    reporter.tell({ type: "phase", at: nowMs(run), phase: "uploading", message: uploadingMessage[spec.purpose] });
  const problem = await run.uploads.finish(hasSucceeded(end), abandoned.signal);
  const uploadProblem = problem === undefined ? {} : { uploadProblem: problem };
  if (spec.purpose !== "training") return { ...end, ...uploadProblem };
  const uploaded = await uploadResults(modelWanted(end), {
    root: paths.root,
    connection,
    clock,
    log,
    signal: abandoned.signal,
    tellUser: (text) => tellUser(run, text),
  });
  return { ...end, ...uploadProblem, ...uploaded };
}

const hasSucceeded = ({ how, exitCode }: TaskEnd): boolean => how === "exited" && exitCode === 0;

/** A model of a stopped job is what it had so far; a failed job has none. */
function modelWanted({ how, exitCode }: TaskEnd): "always" | "with-files" | "never" {
  if (how === "stopped" || how === "timed-out") return "with-files";
  return hasSucceeded({ how, ...(exitCode === undefined ? {} : { exitCode }) }) ? "always" : "never";
}

/** Nobody wants the task: its program goes, with the usual grace while there is a folder, then the folder. */
async function abandon({ spec, paths, clock, log, runner }: TaskRun): Promise<void> {
  log.info("the task is given up", { key: spec.key });
  const killAt = clock.monotonicMs() + (existsSync(paths.task) ? spec.graceSeconds * 1_000 : 0);
  let isTold = false;
  while (existsSync(paths.task) && (await runner.look()).is === "running" && clock.monotonicMs() < killAt) {
    isTold ||= await runner.terminate();
    await clock.sleep(50);
  }
  await runner.destroy();
  rmSync(paths.folder, { recursive: true, force: true });
}
