// CPU, memory, disk and GPUs of the program and all its children, every 10 seconds: instance metrics. A program that fills its
// volume is ended: on SageMaker the volume would be full, here it would be the disk of everybody.
import { existsSync, statSync } from "node:fs";
import { diskPercent, folderBytes } from "./disk-use.ts";
import { gpuProbe } from "./gpu-usage.ts";
import { nowMs, type TaskRun } from "./task-run.ts";

const everyMs = 10_000;
/** Files are counted more often, unless counting takes its time. */
const diskEveryMs = 2_000;
const diskShare = 50;

const usedBytesOf = async (run: TaskRun): Promise<number> =>
  (await folderBytes(run.paths.folder)) + (await run.runner.outsideBytes()) + storedOutputBytes(run);

/** Of a job's output, what was cut out of its file: the server keeps it, and a job that never stops talking would fill its disk. */
function storedOutputBytes({ spec, paths }: TaskRun): number {
  const facts = statSync(paths.output, { throwIfNoEntry: false });
  // A container's log was counted whole; an endpoint talks for as long as it lives.
  if (!facts || spec.program.kind === "image" || spec.purpose === "hosting") return 0;
  return Math.max(0, facts.size - facts.blocks * 512);
}

/** Until the signal aborts. */
export async function watchUsage(run: TaskRun, signal: AbortSignal): Promise<void> {
  const { clock, runner, reporter, paths, spec } = run;
  const gpuUsage = gpuProbe(run.log);
  let before = { at: clock.monotonicMs(), cpuMs: 0 };
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal).catch(() => undefined);
    if (signal.aborted || !existsSync(paths.task)) return;
    const { cpuMs, memoryBytes } = await runner.usage();
    const at = clock.monotonicMs();
    // Children that ended take their time with them: never negative.
    const cpuPercent = Math.max(0, ((cpuMs - before.cpuMs) / (at - before.at)) * 100);
    before = { at, cpuMs };
    const usedBytes = await usedBytesOf(run);
    reporter.tell({
      type: "usage",
      at: nowMs({ clock }),
      cpuPercent,
      memoryMegabytes: memoryBytes / 1_048_576,
      diskPercent: await diskPercent(paths.folder, usedBytes, spec.diskBytes),
      ...(await gpuUsage()),
    });
  }
}

/** Ends the program at once when its files outgrow the volume. */
export async function watchDisk(run: TaskRun, signal: AbortSignal): Promise<void> {
  const { clock, spec, state, log } = run;
  if (spec.diskBytes === undefined) return;
  let pauseMs = diskEveryMs;
  while (!signal.aborted) {
    await clock.sleep(pauseMs, signal).catch(() => undefined);
    if (signal.aborted || state.current.stop !== undefined) return;
    const began = clock.monotonicMs();
    const usedBytes = await usedBytesOf(run);
    pauseMs = Math.max(diskEveryMs, (clock.monotonicMs() - began) * diskShare);
    if (usedBytes <= spec.diskBytes) continue;
    log.info("the program has filled its volume", { usedBytes, diskBytes: spec.diskBytes });
    state.save({ stop: { why: "disk-full", killAt: nowMs(run) } });
    return;
  }
}
