// Which process is which, across restarts of whoever asks: a pid alone may be reused, (pid, start time, boot) is not.
// Linux reads /proc (proc_pid_stat(5)); elsewhere `ps` answers.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { errorCode } from "./error-code.ts";

export interface ProcessIdentity {
  readonly pid: number;
  /** Ticks since boot on Linux, the text of `ps -o lstart` elsewhere. */
  readonly startTime: string;
  /** Empty where the system has none. */
  readonly bootId: string;
}

export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  readonly startTime: string;
  /** Ticks of 1/100 s of this process and the children it has waited for. */
  readonly cpuTicks: number;
}

const hasProc = process.platform === "linux";

const readOrUndefined = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // The process ended while we looked.
  }
};

/** Undefined for text that is no stat line, and for a process that only waits to be reaped. */
export function parseStatLine(text: string): ProcessFacts | undefined {
  const nameEnd = text.lastIndexOf(")");
  const fields = text.slice(nameEnd + 2).split(" ");
  const [state, parent] = fields;
  if (nameEnd < 0 || fields.length < 20 || state === "Z" || state === "X") return undefined;
  const cpuTicks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return {
    pid: parseInt(text, 10),
    parent: Number(parent),
    session: Number(fields[3]),
    startTime: fields[19]!,
    cpuTicks,
  };
}

const askPs = (columns: string, selection: readonly string[]): string[] => {
  try {
    const text = execFileSync("ps", [...selection, "-o", columns], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return text.split("\n").filter((line) => line.trim() !== "");
  } catch {
    return []; // ps answers 1 when nothing matches.
  }
};

const factsFromPs = (line: string): ProcessFacts | undefined => {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line);
  if (!match || match[4]!.startsWith("Z")) return undefined;
  return {
    pid: Number(match[1]),
    parent: Number(match[2]),
    session: Number(match[3]),
    startTime: match[5]!,
    cpuTicks: 0,
  };
};
// Process groups stand in for sessions: BSD's ps does not number sessions.
const psColumns = "pid=,ppid=,pgid=,state=,lstart=";

const factsOf = (pid: number): ProcessFacts | undefined => {
  if (!hasProc) return askPs(psColumns, ["-p", String(pid)]).map(factsFromPs)[0];
  const text = readOrUndefined(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseStatLine(text);
};

export const currentBootId = (): string =>
  hasProc ? (readOrUndefined("/proc/sys/kernel/random/boot_id") ?? "").trim() : "";

/** Undefined when no such process runs. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const facts = factsOf(pid);
  return facts && { pid, startTime: facts.startTime, bootId: currentBootId() };
}

export function isRunning(identity: ProcessIdentity): boolean {
  if (identity.bootId !== currentBootId()) return false;
  return factsOf(identity.pid)?.startTime === identity.startTime;
}

export function listProcesses(): ProcessFacts[] {
  const facts = hasProc
    ? readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map((name) => factsOf(Number(name)))
    : askPs(psColumns, ["-ax"]).map(factsFromPs);
  return facts.filter((each) => each !== undefined);
}

/** Everything below `pid`, parents before children, without `pid` itself. */
export function descendantsOf(pid: number, all: readonly ProcessFacts[] = listProcesses()): ProcessFacts[] {
  const found: ProcessFacts[] = [];
  const parents = [pid];
  for (let at = 0; at < parents.length; at++) {
    const children = all.filter((each) => each.parent === parents[at]);
    found.push(...children);
    parents.push(...children.map((child) => child.pid));
  }
  return found;
}

const carriesMark = (pid: number, mark: string): boolean =>
  (readOrUndefined(`/proc/${pid}/environ`) ?? "").split("\0").includes(mark);

/** Processes other than this one that were started with `mark` (NAME=value) in their environment. None where there is no /proc. */
export const processesMarked = (mark: string): ProcessFacts[] =>
  hasProc ? listProcesses().filter(({ pid }) => pid !== process.pid && carriesMark(pid, mark)) : [];

/**
 * What belongs to a leader, without itself: its descendants, its session, and whatever carries `mark` (NAME=value) in its environment,
 * also in sessions of its own. Once the leader is gone its number may be anyone's: then the mark alone decides.
 */
export function membersOf(leader: ProcessIdentity, mark: string): ProcessFacts[] {
  if (leader.bootId !== currentBootId()) return [];
  const all = listProcesses();
  const isAlive = isRunning(leader);
  const below = new Set(isAlive ? descendantsOf(leader.pid, all).map(({ pid }) => pid) : []);
  return all.filter(({ pid, session }) => {
    if (pid === leader.pid || pid === process.pid) return false;
    if (below.has(pid) || (session === leader.pid && (isAlive || !hasProc))) return true;
    return hasProc && carriesMark(pid, mark);
  });
}

/** A process that is gone already is what was wanted. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
}

/** Resident memory in bytes; 0 where unknown. */
export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(hasProc ? (readOrUndefined(`/proc/${pid}/status`) ?? "") : "");
  return match ? Number(match[1]) * 1024 : 0;
}
