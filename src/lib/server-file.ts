// <data>/server.json: where the server of a data folder answers. Agents and `salvia env` read it; the server writes it at start.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "./error-code.ts";

export interface ServerFile {
  readonly url: string;
  readonly pid: number;
  readonly startedAt: string;
}

export const serverFilePath = (dataFolder: string): string => join(dataFolder, "server.json");

/** Undefined when no server has been started on the folder yet. */
export function readServerFile(dataFolder: string): ServerFile | undefined {
  let text: string;
  try {
    text = readFileSync(serverFilePath(dataFolder), "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  const value = JSON.parse(text) as Partial<ServerFile>;
  if (typeof value.url !== "string" || typeof value.pid !== "number") return undefined;
  return { url: value.url, pid: value.pid, startedAt: value.startedAt ?? "" };
}

/** Replaces the file at once: a reader sees the old server or the new one. */
export function writeServerFile(dataFolder: string, file: ServerFile): void {
  const path = serverFilePath(dataFolder);
  const fresh = `${path}.${file.pid}`;
  writeFileSync(fresh, JSON.stringify(file), { mode: 0o644 });
  renameSync(fresh, path);
}
