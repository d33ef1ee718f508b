// Which processes belong to a data folder: found from outside, in /proc, so that the test trusts nothing Salvia says.
import { readdirSync, readFileSync } from "node:fs";

export interface Found {
  readonly pid: number;
  /** program: whatever runs inside a task's walls. */
  readonly kind: "server" | "agent" | "waiter" | "program";
  readonly command: string;
}

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // The process ended meanwhile.
  }
};

function kindOf(pid: number, command: string, dataFolder: string): Found["kind"] | undefined {
  const isOurs = command.includes(dataFolder);
  if (isOurs && / serve /.test(command)) return "server";
  if (isOurs && / agent /.test(command)) return "agent";
  const isInside = read(`/proc/${pid}/mountinfo`).includes(`${dataFolder}/tasks/`);
  if (isInside && !/^\S*bwrap /.test(command)) return "program";
  return isOurs || isInside ? "waiter" : undefined;
}

export function processesOf(dataFolder: string): Found[] {
  const found: Found[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const command = read(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
    // A zombie has no command line, and waits only for its parent.
    const kind = command === "" ? undefined : kindOf(pid, command, dataFolder);
    if (kind) found.push({ pid, kind, command });
  }
  return found;
}

/** kill -9; false when it had ended by itself. */
export function killNow(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}
