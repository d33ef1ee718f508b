// The end of a task's folder, whatever its program has made of it.
import { chmodSync, lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "../../lib/error-code.ts";

const denied: ReadonlySet<unknown> = new Set(["EACCES", "EPERM"]);

/** Answers why it is still there, at least in part. */
function problemOfRemoval(folder: string): unknown {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
    return undefined;
  } catch (error) {
    if (!denied.has(errorCode(error))) throw error;
    return error;
  }
}

/** Folders of this user that a program has closed. */
function openFolders(folder: string): void {
  if (lstatSync(folder).uid !== process.getuid?.()) return;
  chmodSync(folder, 0o700);
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) openFolders(join(folder, entry.name));
}

/** `makeRemovable`: helps with what belongs to others. Throws when that was not enough. */
export async function removeFolder(folder: string, makeRemovable?: (folder: string) => Promise<void>): Promise<void> {
  if (problemOfRemoval(folder) === undefined) return;
  openFolders(folder);
  if (problemOfRemoval(folder) === undefined) return;
  await makeRemovable?.(folder);
  const problem = problemOfRemoval(folder);
  if (problem !== undefined) throw problem;
}
