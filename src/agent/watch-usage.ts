// CPU, memory, disk and GPUs of the program and all its children, every 10 seconds: instance metrics. A program that fills its
// volume is ended: on SageMaker the volume would be full, here it would be the disk of everybody.
import { existsSync } from "node:fs";
import { totalmem } from "node:os";
import type { DiskMeter } from "./disk-meter.ts";
import { volumePercent } from "./disk-use.ts";
import { gpuProbe } from "./gpu-usage.ts";
import { nowMs, type TaskRun } from "./task-run.ts";

const everyMs = 10_000;
const diskEveryMs = 2_000;

/** Until the signal aborts. */
export async function watchUsage(run: TaskRun, disk: DiskMeter, signal: AbortSignal): Promise<void> {
  const { clock, runner, reporter, paths, spec } = run;
  const gpuUsage = gpuProbe(run.log);
  let before = { at: clock.monotonicMs(), cpuMs: 0 };
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal).catch(() => undefined);
    if (signal.aborted || !existsSync(paths.task)) return;
    const { cpuMs, memoryBytes, memoryLimitBytes = totalmem() } = await runner.usage();
    const at = clock.monotonicMs();
    // Children that ended take their time with them: never negative.
    const cpuPercent = Math.max(0, ((cpuMs - before.cpuMs) / (at - before.at)) * 100);
    before = { at, cpuMs };
    const usedBytes = await disk.usedBytes();
    reporter.tell({
      type: "usage",
      at: nowMs({ clock }),
      cpuPercent,
      memoryMegabytes: memoryBytes / 1_048_576,
      memoryPercent: (memoryBytes * 100) / memoryLimitBytes,
      ...(usedBytes === undefined ? {} : { diskPercent: volumePercent(paths.folder, usedBytes, spec.diskBytes) }),
      ...(await gpuUsage()),
    });
  }
}

/** Ends the program at once when its files outgrow the volume. */
export async function watchDisk(run: TaskRun, disk: DiskMeter, signal: AbortSignal): Promise<void> {
  const { clock, spec, state, log } = run;
  if (spec.diskBytes === undefined) return;
  while (!signal.aborted) {
    await clock.sleep(diskEveryMs, signal).catch(() => undefined);
    if (signal.aborted || state.current.stop !== undefined) return;
    const usedBytes = (await disk.usedBytes()) ?? 0;
    if (usedBytes <= spec.diskBytes) continue;
    log.info("the program has filled its volume", { usedBytes, diskBytes: spec.diskBytes });
    state.save({ stop: { why: "disk-full", killAt: nowMs(run) } });
    return;
  }
}
