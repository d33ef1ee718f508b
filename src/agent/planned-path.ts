// Paths that come from object keys or archives: where they may lie under a folder, or why they cannot be files.
import { join } from "node:path";

/** Why something cannot be brought in; the text becomes the FailureReason. */
export class StageError extends Error {}

const longestNameBytes = 255;
const longestPathBytes = 4_095;
const shown = (path: string): string => JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);

/** The parts of a relative path. Throws StageError for paths that are absolute, empty, too long, or leave their folder. */
export function safeParts(path: string): string[] {
  const problem = problemOf(path);
  if (problem) throw new StageError(`${shown(path)} cannot be a file: ${problem}`);
  return path.split("/");
}

function problemOf(path: string): string | undefined {
  if (path === "") return "the name is empty";
  if (path.includes("\0")) return "the name has a NUL character";
  if (path.startsWith("/")) return "the path is absolute";
  if (Buffer.byteLength(path) > longestPathBytes) return `the path is longer than ${longestPathBytes} bytes`;
  for (const part of path.split("/")) {
    if (part === "" || part === "." || part === "..") return `the path has the part ${JSON.stringify(part)}`;
    if (Buffer.byteLength(part) > longestNameBytes) return `a name is longer than ${longestNameBytes} bytes`;
  }
  return undefined;
}

/** Where a relative path lies under `folder`. */
export const inside = (folder: string, path: string): string => join(folder, ...safeParts(path));

/** Throws StageError when one path is needed both as a file and as a folder, or twice. */
export function checkTogether(paths: readonly string[]): void {
  const files = new Set<string>();
  for (const path of paths) {
    if (files.has(path)) throw new StageError(`${shown(path)} is there twice`);
    files.add(path);
  }
  for (const path of paths) {
    const parts = safeParts(path);
    for (let count = 1; count < parts.length; count++) {
      const folder = parts.slice(0, count).join("/");
      if (files.has(folder))
        throw new StageError(
          `${shown(folder)} is both a file and the folder of ${shown(path)}: File mode cannot hold both`,
        );
    }
  }
}
