// What a job must not leave behind: processes, folders, mounts.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { eventually } from "./eventually.ts";
import { processesOf } from "./processes.ts";

const remains = (dataFolder: string): string[] => [
  ...processesOf(dataFolder)
    .filter(({ kind }) => kind !== "server")
    .map(({ pid, command }) => `${pid} ${command}`),
  ...readdirSync(join(dataFolder, "tasks")),
  ...readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((mount) => mount.includes(dataFolder)),
];

export async function nothingLeft(dataFolder: string): Promise<void> {
  let left: readonly string[] = [];
  const look = (): true | undefined => {
    left = remains(dataFolder);
    return left.length === 0 ? true : undefined;
  };
  await eventually("every task to be gone", look, 60_000).catch(() => expect(left).toEqual([]));
}
