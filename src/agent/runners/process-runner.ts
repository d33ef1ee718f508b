// Runs the program as a process of this machine, below a waiter: a tiny shell that outlives the agent and writes down the exit code.
import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lchownSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import {
  isRunning,
  listProcesses,
  membersOf,
  descendantsOf,
  residentBytes,
  signalProcess,
  type ProcessIdentity,
} from "../../lib/process-identity.ts";
import { readIfThere, readWaiter, taskMark, type TaskPaths } from "../../task/task-folder.ts";
import type { TaskSpec } from "../../task/task.ts";
import { namespaceCommand, privateView, userOf } from "./namespaces.ts";
import {
  programArguments,
  programEnvironment,
  startScript,
  type ProgramAddresses,
  type ProgramView,
} from "./program-command.ts";
import type { ProgramExit, ProgramState, Runner } from "./runner.ts";

// mkdir is the only start: a second waiter finds the folder and leaves. A caught (not ignored) TERM lets the program have its own.
const waiterScript = `
cd "$1" || exit 96
shift
mkdir started 2>/dev/null || exit 97
stat= boot=
[ -r /proc/$$/stat ] && IFS= read -r stat < /proc/$$/stat
[ -r /proc/sys/kernel/random/boot_id ] && IFS= read -r boot < /proc/sys/kernel/random/boot_id
printf '%s\\n%s\\n%s\\nend\\n' "$$" "$stat" "$boot" > started/waiter
trap : TERM INT HUP
"$@" 3>&-
echo $? > exit.new
mv exit.new exit
`;

export interface ProcessRunnerOptions {
  readonly spec: TaskSpec;
  readonly paths: TaskPaths;
  /** Path of bwrap, where namespaces work. */
  readonly bwrap: string | undefined;
  readonly nodePath: string;
  /** The CLI's entry, for built-in algorithms. */
  readonly entry: string;
  readonly clock: Clock;
  addresses(): ProgramAddresses;
}

/** A waiter that made its folder but not yet its note is given this long. */
const noteWithinMs = 2_000;
const ticksPerSecond = 100;
/** bwrap's monitor, its PID 1, the program. */
const namespaceDepth = 3;

export function createProcessRunner(options: ProcessRunnerOptions): Runner {
  const { spec, paths, bwrap, nodePath, entry, clock } = options;
  const isRoot = process.getuid?.() === 0;
  const user = bwrap && isRoot ? userOf(spec.key) : undefined;
  const view: ProgramView = bwrap
    ? privateView(entry)
    : { node: nodePath, entry, root: paths.root, temporary: paths.temporary, isPrivate: false };
  let missingSince: number | undefined;

  const command = (): string[] =>
    bwrap ? namespaceCommand({ bwrap, paths, nodePath, entry, user }) : ["/bin/sh", paths.startScript];

  let knownWaiter: ProcessIdentity | undefined;
  const findWaiter = (): ProcessIdentity | undefined => (knownWaiter ??= readWaiter(paths));
  const kill = (): void => {
    const waiter = findWaiter();
    if (waiter) for (const each of membersOf(waiter, taskMark(spec.key))) signalProcess(each.pid, "SIGKILL");
  };
  const programPid = (): number | undefined => {
    const waiter = findWaiter();
    if (!waiter || !isRunning(waiter)) return undefined;
    const all = listProcesses();
    let pid: number | undefined = waiter.pid;
    for (let depth = bwrap ? namespaceDepth : 1; depth > 0 && pid !== undefined; depth--) {
      const parent: number = pid;
      pid = all.find((each) => each.parent === parent)?.pid;
    }
    return pid;
  };

  return {
    prepare: async () => {
      for (const folder of ["input/config", "input/data", "model", "output/data", "code"])
        mkdirSync(join(paths.root, folder), { recursive: true });
      mkdirSync(paths.temporary, { recursive: true });
      chmodSync(paths.temporary, 0o1777);
      for (const [name, text] of Object.entries(spec.configFiles))
        writeFileSync(join(paths.root, "input/config", name), text);
      writeFileSync(paths.hosts, hostsFile(spec));
      const environment = programEnvironment(spec, view, options.addresses());
      writeFileSync(paths.startScript, startScript(programArguments(spec, view), environment, view.root), {
        mode: 0o600,
      });
      if (user === undefined) return;
      chownSync(paths.startScript, user, user);
      chownSync(paths.temporary, user, user);
      giveTo(user, paths.root);
    },
    release: async (onEnd) => {
      if (existsSync(paths.started)) return;
      const output = openSync(paths.output, "a", 0o600);
      if (user !== undefined) chownSync(paths.output, user, user);
      try {
        // The waiter runs with the agent's rights: nothing of the job's environment may reach it.
        const child = spawn("/bin/sh", ["-c", waiterScript, "salvia-waiter", paths.folder, ...command()], {
          detached: true,
          stdio: ["ignore", output, output],
          env: { PATH: "/usr/bin:/bin", SALVIA_TASK_KEY: spec.key },
        });
        child.on("exit", onEnd);
        await new Promise((resolve, reject) => {
          child.once("spawn", resolve);
          child.once("error", reject);
        });
        child.unref();
      } finally {
        closeSync(output);
      }
    },
    look: () => {
      const state = lookAt(paths);
      if (state !== "unclear") return state;
      missingSince ??= clock.monotonicMs();
      const startedAt = statIfThere(paths.started) ?? 0;
      if (clock.monotonicMs() - missingSince < noteWithinMs) return { is: "running", startedAt };
      return { is: "lost", startedAt };
    },
    terminate: () => {
      const pid = programPid();
      if (pid !== undefined) signalProcess(pid, "SIGTERM");
      return pid !== undefined;
    },
    kill,
    destroy: () => {
      const waiter = findWaiter();
      if (!waiter) return;
      if (isRunning(waiter)) signalProcess(waiter.pid, "SIGSTOP");
      kill();
      if (isRunning(waiter)) signalProcess(waiter.pid, "SIGKILL");
      kill();
    },
    usage: () => {
      const waiter = findWaiter();
      const all = waiter && isRunning(waiter) ? descendantsOf(waiter.pid) : [];
      const ticks = all.reduce((sum, each) => sum + each.cpuTicks, 0);
      const memoryBytes = all.reduce((sum, each) => sum + residentBytes(each.pid), 0);
      return { cpuMs: (ticks * 1_000) / ticksPerSecond, memoryBytes };
    },
  };
}

function lookAt(paths: TaskPaths): ProgramState | "unclear" {
  const started = statIfThere(paths.started);
  if (started === undefined) return { is: "not-started" };
  const waiter = readWaiter(paths);
  // Alive is asked first: a waiter that ends in between has written its exit.
  const isAlive = waiter !== undefined && isRunning(waiter);
  const exit = readExit(paths);
  if (exit) return { is: "ended", startedAt: started, exit };
  if (waiter === undefined) return "unclear";
  return isAlive ? { is: "running", startedAt: started } : { is: "lost", startedAt: started };
}

function readExit(paths: TaskPaths): ProgramExit | undefined {
  const text = readIfThere(paths.exit);
  if (text === undefined) return undefined;
  const exitCode = Number(text.trim());
  const signal = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128)?.[0];
  return { exitCode, ...(signal === undefined ? {} : { signal }), endedAt: statIfThere(paths.exit) ?? 0 };
}

const statIfThere = (path: string): number | undefined => {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && Math.floor(found.mtimeMs);
};

const hostsFile = ({ network }: TaskSpec): string =>
  [
    "127.0.0.1 localhost",
    "::1 localhost",
    ...Object.entries(network.addresses).map(([name, address]) => `${address} ${name}`),
    "",
  ].join("\n");

function giveTo(user: number, folder: string): void {
  lchownSync(folder, user, user);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) giveTo(user, path);
    else lchownSync(path, user, user);
  }
}
