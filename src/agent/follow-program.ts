// While the program runs: its end, wishes to stop, its time, its usage, its health.
import { existsSync } from "node:fs";
import { currentBootId } from "../lib/process-identity.ts";
import type { TaskEnd } from "../task/report.ts";
import { serves } from "../task/task.ts";
import { readOwnJson, type StopWish, type TaskPaths } from "../task/task-folder.ts";
import { diskMeter } from "./disk-meter.ts";
import { watchHealth } from "./watch-health.ts";
import type { ProgramState } from "./runners/runner.ts";
import { nowMs, type TaskRun } from "./task-run.ts";
import { endOfExit, readyWithinSeconds } from "./end-of-program.ts";
import { watchTransform } from "./transform/watch-transform.ts";
import { watchDisk, watchUsage } from "./watch-usage.ts";
import { wasCutOff, type StopState } from "./task-state.ts";

const quickLookMs = 20;
const idleLookMs = 100;
const quickForMs = 5_000;
/** A waiter that cannot even make its folder. */
const startWithinMs = 10_000;

/** Starts the program, at most once in the task's life. */
export async function releaseProgram(run: TaskRun, onEnd: () => void): Promise<void> {
  const { state, runner, reporter } = run;
  if (state.current.releaseBootId === undefined) state.save({ step: "releasing", releaseBootId: currentBootId() });
  // After a power cut nobody knows whether it ran: `look` finds nothing, and the task is lost.
  if (state.current.releaseBootId === currentBootId()) await runner.release(onEnd);
  state.save({ step: "running" });
  reporter.tell({ type: "phase", at: nowMs(run), phase: "running" });
  reporter.expectOutput();
}

/** Follows the program to its end. Throws the reason of `abandoned` when the task is. */
export async function followProgram(run: TaskRun): Promise<TaskEnd> {
  const { clock, runner, abandoned } = run;
  const poke: { wake?: () => void } = {};
  const over = new AbortController();
  const began = clock.monotonicMs();
  let wasUnwatched = run.state.current.releaseBootId !== undefined;
  if (run.state.current.step !== "running") await releaseProgram(run, () => poke.wake?.());
  else if (wasCutOff(run.state.current)) return giveUp(run);
  const disk = diskMeter(run);
  const watching = [
    watchUsage(run, disk, over.signal),
    watchDisk(run, disk, over.signal),
    watchHealth(run, over.signal),
    run.uploads.watch(over.signal),
    watchTransform(run, over.signal),
    feedPipes(run, over.signal),
  ];
  const stopper = createStopper(run);
  try {
    for (;;) {
      abandoned.signal.throwIfAborted();
      const seen = await runner.look();
      const now = wasUnwatched ? withoutWitness(run, seen) : seen;
      wasUnwatched = false;
      // Asked after the look: what was seen in a folder that is going means nothing.
      if (!existsSync(run.paths.task)) throw new Error("the task's folder is gone");
      const end = await endOf(run, now, clock.monotonicMs() - began);
      if (end) return end;
      if (now.is === "running") await stopper(now.startedAt);
      const { promise, resolve } = Promise.withResolvers<void>();
      poke.wake = resolve;
      const isFresh = clock.monotonicMs() - began < quickForMs;
      await Promise.race([promise, clock.sleep(isFresh ? quickLookMs : idleLookMs)]);
    }
  } finally {
    over.abort();
    await Promise.all(watching);
  }
}

/** Loaded by the tasks that have pipes alone: an agent must start fast. */
async function feedPipes(run: TaskRun, signal: AbortSignal): Promise<void> {
  if (run.spec.hasPipes !== true) return;
  const { watchPipes } = await import("./pipes/watch-pipes.ts");
  await watchPipes(run, signal);
}

/** An agent died in the middle of an epoch: whatever the program makes of half of its data, nobody may take it for a result. */
async function giveUp({ runner, log }: TaskRun): Promise<TaskEnd> {
  log.error("the agent was restarted in the middle of an epoch of Pipe mode: the task is lost");
  await runner.destroy();
  return { how: "lost" };
}

/**
 * What an agent sees first that takes a task over: a program killed by SIGKILL while its agent was dead too went with the instance, as
 * far as anybody can know, even where the waiter lived long enough to note it.
 */
function withoutWitness({ state, log }: TaskRun, seen: ProgramState): ProgramState {
  if (seen.is !== "ended" || seen.exit.signal !== "SIGKILL" || seen.exit.failure !== undefined) return seen;
  if (state.current.stop !== undefined) return seen;
  log.error("agent and program were killed: the task is lost");
  return { is: "lost", startedAt: seen.startedAt };
}

async function endOf(
  { state, runner, log, spec }: TaskRun,
  now: ProgramState,
  waitedMs: number,
): Promise<TaskEnd | undefined> {
  switch (now.is) {
    case "running":
      return undefined;
    case "not-started": {
      if (waitedMs < startWithinMs && state.current.releaseBootId === currentBootId()) return undefined;
      log.error("the program was not started");
      return { how: "lost" };
    }
    case "lost":
      await runner.destroy();
      return { how: "lost", startedAt: now.startedAt };
    case "ended":
      await runner.kill(); // Children that the program left behind.
      return endOfExit(now.exit, now.startedAt, state.current, spec);
  }
}

/** Called again and again: SIGTERM when the task should end, SIGKILL after the grace. */
function createStopper(run: TaskRun): (startedAt: number) => Promise<void> {
  const { state, spec, runner, log, stopAsked } = run;
  let isTold = false;
  const whyNow = (startedAt: number): StopState["why"] | undefined => {
    if (stopAsked.signal.aborted || existsSync(run.paths.stop)) return "stopped";
    if (state.current.transform) return "finished";
    if (state.current.pipeProblem !== undefined) return "no-data";
    const ranMs = nowMs(run) - startedAt;
    if (spec.maxRuntimeSeconds !== undefined && ranMs >= spec.maxRuntimeSeconds * 1_000) return "timed-out";
    return serves(spec) && state.current.wasReady !== true && ranMs >= readyWithinSeconds * 1_000
      ? "not-ready"
      : undefined;
  };
  return async (startedAt) => {
    const why = state.current.stop?.why ?? whyNow(startedAt);
    if (why === undefined) return;
    if (state.current.stop === undefined) {
      const graceMs = graceSeconds(run.paths, spec.graceSeconds) * 1_000;
      log.info("the program is asked to end", { why, graceMs });
      state.save({ stop: { why, killAt: nowMs(run) + graceMs } });
    }
    isTold ||= await runner.terminate();
    if (nowMs(run) >= (state.current.stop?.killAt ?? 0)) await runner.kill();
  };
}

const graceSeconds = (paths: TaskPaths, ofTask: number): number =>
  readOwnJson<StopWish>(paths.stop)?.graceSeconds ?? ofTask;
