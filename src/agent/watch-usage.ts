// CPU and memory of the program and all its children, every 10 seconds: instance metrics.
import { nowMs, type TaskRun } from "./task-run.ts";

const everyMs = 10_000;

/** Until the signal aborts. */
export async function watchUsage({ clock, runner, reporter }: TaskRun, signal: AbortSignal): Promise<void> {
  let before = { at: clock.monotonicMs(), cpuMs: 0 };
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    const { cpuMs, memoryBytes } = await runner.usage();
    const at = clock.monotonicMs();
    // Children that ended take their time with them: never negative.
    const cpuPercent = Math.max(0, ((cpuMs - before.cpuMs) / (at - before.at)) * 100);
    before = { at, cpuMs };
    reporter.tell({ type: "usage", at: nowMs({ clock }), cpuPercent, memoryMegabytes: memoryBytes / 1_048_576 });
  }
}
