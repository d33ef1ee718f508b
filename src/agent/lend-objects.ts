// FastFile without a copy: objects as hard links in a folder that the program sees read-only. Any number of them is one mount, and a link takes
// microseconds. The folder lies beside the task's root and not below it: nothing that is done to the program's own files (their owner, their
// mode) may reach a stored object.
import { chmodSync, linkSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { setImmediate } from "node:timers/promises";
import { errorCode } from "../lib/error-code.ts";
import type { PlannedObject } from "../task/channel-plan.ts";
import { inside } from "./planned-path.ts";

export type FileObject = PlannedObject & { readonly source: { readonly file: string } };

/** Another file system, one without links, or none for a file of somebody else's; more links than an inode may have. */
const cannotLink: ReadonlySet<string> = new Set(["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "ENOSYS", "EOPNOTSUPP"]);

const linksAtOnce = 500;
const forAll = 0o444;

/** A file as it is, which every user may read: programs are users of their own. */
export const isLendable = (object: PlannedObject): object is FileObject =>
  "file" in object.source && !object.isGzip && (modeOf(object.source.file) & forAll) === forAll;

/** 0 for a file that is not there: bringing it says so with its name. */
const modeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mode ?? 0;

/** Makes folders that every user may look into, whatever the umask. */
export function openFolders(): (folder: string) => void {
  const made = new Set<string>();
  const make = (folder: string): void => {
    if (made.has(folder)) return;
    const first = mkdirSync(folder, { recursive: true });
    made.add(folder);
    if (first === undefined) return;
    for (let at = folder; at.length >= first.length; at = dirname(at)) chmodSync(at, 0o755);
  };
  return make;
}

/** Links what can be, and answers the rest. Throws StageError for a path that leaves the folder, and the signal's reason. */
export async function lendObjects(
  objects: readonly PlannedObject[],
  folder: string,
  signal: AbortSignal,
): Promise<readonly PlannedObject[]> {
  const rest: PlannedObject[] = [];
  const makeFolder = openFolders();
  for (const [at, object] of objects.entries()) {
    if (at % linksAtOnce === 0) await setImmediate();
    signal.throwIfAborted();
    if (!isLendable(object) || !isLinked(object, inside(folder, object.path), makeFolder)) rest.push(object);
  }
  return rest;
}

function isLinked({ source }: FileObject, to: string, makeFolder: (folder: string) => void): boolean {
  makeFolder(dirname(to));
  try {
    linkSync(source.file, to);
    return true;
  } catch (error) {
    if (cannotLink.has(errorCode(error) ?? "")) return false;
    throw error;
  }
}
