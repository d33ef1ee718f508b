// What a program sees below /opt/ml without a copy: FastFile channels, of those on another file system than the tasks' their large objects,
// and folders of the machine that stand for file systems. Bound one by one, so that nothing else of the data folder is in sight.
import type { PlannedObject } from "../task/channel-plan.ts";
import { isLendable, type FileObject } from "./lend-objects.ts";

export interface Bind {
  /** File or folder of this machine. */
  readonly from: string;
  /** Below the task's root, where something of the same sort is there already. */
  readonly to: string;
  readonly isReadOnly: boolean;
}

/** Each is a mount of its own: a task with thousands would start slowly. */
const mostBinds = 256;
/** Below that a copy costs less than a mount. */
const smallestBytes = 1_048_576;

/** The largest objects, which are bound, and the others, which are copied. */
export function splitForBinds(objects: readonly PlannedObject[]): {
  readonly bound: readonly FileObject[];
  readonly copied: readonly PlannedObject[];
} {
  const bound = objects
    .filter(({ sizeBytes }) => sizeBytes >= smallestBytes)
    .filter(isLendable)
    .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
    .slice(0, mostBinds);
  const paths = new Set(bound.map(({ path }) => path));
  return { bound, copied: objects.filter(({ path }) => !paths.has(path)) };
}
