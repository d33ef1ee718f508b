// What a task takes of the disk, for all who ask: counted anew only after a rest, since a million files take seconds to count.
import { statSync } from "node:fs";
import { folderBytes } from "./disk-use.ts";
import type { TaskRun } from "./task-run.ts";

/** Counting takes one part of the time in so many. */
const restShare = 50;
const leastRestMs = 1_000;

export interface DiskMeter {
  /** Bytes, perhaps of a while ago; undefined where they cannot be counted. */
  usedBytes(): Promise<number | undefined>;
}

export type MeteredTask = Pick<TaskRun, "spec" | "paths" | "clock" | "log"> & {
  readonly runner: Pick<TaskRun["runner"], "outsideBytes">;
};

/** Of a job's output, what was cut out of its file: the server keeps it, and a job that never stops talking would fill its disk. */
function storedOutputBytes({ spec, paths }: MeteredTask): number {
  const facts = statSync(paths.output, { throwIfNoEntry: false });
  // A container's log is counted whole by its runner; an endpoint talks for as long as it lives.
  if (!facts || spec.program.kind === "image" || spec.purpose === "hosting") return 0;
  return Math.max(0, facts.size - facts.blocks * 512);
}

export function diskMeter(task: MeteredTask): DiskMeter {
  const { paths, runner, clock, log } = task;
  let counted: { readonly bytes: number | undefined; readonly restUntilMs: number } | undefined;
  const count = async (): Promise<number | undefined> => {
    try {
      return (await folderBytes(paths.folder, paths.lent)) + (await runner.outsideBytes()) + storedOutputBytes(task);
    } catch (error) {
      log.debug("the task's files cannot be counted", { error });
      return undefined;
    }
  };
  return {
    usedBytes: async () => {
      const beganMs = clock.monotonicMs();
      if (counted && beganMs < counted.restUntilMs) return counted.bytes;
      const bytes = await count();
      const nowMs = clock.monotonicMs();
      counted = { bytes, restUntilMs: nowMs + Math.max(leastRestMs, (nowMs - beganMs) * restShare) };
      return bytes;
    },
  };
}
