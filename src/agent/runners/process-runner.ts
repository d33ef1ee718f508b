// Runs the program as a process of this machine, below a waiter: a tiny shell that outlives the agent and writes down the exit code.
import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import { freePort } from "../../lib/free-port.ts";
import {
  isRunning,
  listProcesses,
  membersOf,
  processesMarked,
  descendantsOf,
  residentBytes,
  signalProcess,
  type ProcessIdentity,
} from "../../lib/process-identity.ts";
import { readIfThere, readWaiter, taskMark, type TaskPaths } from "../../task/task-folder.ts";
import type { TaskSpec } from "../../task/task.ts";
import type { Bind } from "../binds.ts";
import { givenDevices } from "../give-devices.ts";
import type { MachineDevices } from "../machine-devices.ts";
import { ownAddress } from "../own-address.ts";
import { cannotStart } from "./container-problems.ts";
import { namespaceCommand, packageFolder, privateView, userOf } from "./namespaces.ts";
import {
  programArguments,
  programEnvironment,
  startScript,
  type ProgramAddresses,
  type ProgramView,
} from "./program-command.ts";
import { writeContract } from "./write-contract.ts";
import type { ProgramExit, ProgramState, Runner, Usage } from "./runner.ts";

// mkdir is the only start: a second waiter finds the folder and leaves. A caught (not ignored) TERM lets the program have its own.
// What the shell itself says ("Killed") is not the program's output.
const waiterScript = `
cd "$1" || exit 96
shift
mkdir started 2>/dev/null || exit 97
# Its block is taken now and written in place at the end: a program that fills the disk must not take its exit code with it.
printf '%-9s' none > exit.new
stat= boot=
[ -r /proc/$$/stat ] && IFS= read -r stat < /proc/$$/stat
[ -r /proc/sys/kernel/random/boot_id ] && IFS= read -r boot < /proc/sys/kernel/random/boot_id
printf '%s\\n%s\\n%s\\nend\\n' "$$" "$stat" "$boot" > started/waiter
trap : TERM INT HUP
exec 3>&2 2>/dev/null
( exec "$@" 2>&3 3>&- )
code=$?
printf '%-9s' "$code" 1<> exit.new
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
  /** Folder of the task's Python environment, once it is there. */
  readonly python?: () => string | undefined;
  /** Accelerators of this machine. */
  readonly devices: MachineDevices;
  readonly clock: Clock;
  readonly addresses: () => ProgramAddresses;
  readonly binds: () => readonly Bind[];
}

/** A waiter that made its folder but not yet its note is given this long. */
const noteWithinMs = 2_000;
const ticksPerSecond = 100;
/** Left in its temporary folder by a start script that could not become the program. */
const neverRanName = ".salvia-never-ran";
/** bwrap's monitor, its PID 1, the program. */
const namespaceDepth = 3;

class ProcessRunner implements Runner {
  readonly #options: ProcessRunnerOptions;
  /** Who the program runs as, where that is another user. */
  readonly #user: number | undefined;
  #missingSince: number | undefined;
  #knownWaiter: ProcessIdentity | undefined;

  constructor(options: ProcessRunnerOptions) {
    this.#options = options;
    this.#user = options.bwrap !== undefined && process.getuid?.() === 0 ? userOf(options.spec.key) : undefined;
  }

  async prepare(): Promise<void> {
    const { spec, paths } = this.#options;
    writeContract(spec, paths.root);
    mkdirSync(paths.temporary, { recursive: true });
    chmodSync(paths.temporary, 0o1777);
    writeFileSync(paths.hosts, hostsFile(spec));
    const view = this.#view();
    const environment = programEnvironment(spec, view, this.#options.addresses());
    const place = { folder: view.root, neverRan: join(view.temporary, neverRanName) };
    rmSync(join(paths.temporary, neverRanName), { force: true });
    const script = startScript(programArguments(spec, view), environment, place);
    writeFileSync(paths.startScript, script, { mode: 0o600 });
    if (this.#user === undefined) return;
    chownSync(paths.startScript, this.#user, this.#user);
    chownSync(paths.temporary, this.#user, this.#user);
    giveTo(this.#user, paths.root);
  }

  async release(onEnd: () => void): Promise<void> {
    const { spec, paths } = this.#options;
    if (existsSync(paths.started)) return;
    const output = openSync(paths.output, "a", 0o600);
    try {
      if (this.#user !== undefined) chownSync(paths.output, this.#user, this.#user);
      // The waiter runs with the agent's rights: nothing of the job's environment may reach it.
      const child = spawn("/bin/sh", ["-c", waiterScript, "salvia-waiter", paths.folder, ...this.#command()], {
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
  }

  async look(): Promise<ProgramState> {
    const { paths, clock } = this.#options;
    const state = lookAt(paths, this.#waiter());
    if (state !== "unclear") return state.is === "ended" ? { ...state, exit: this.#exitOf(state.exit) } : state;
    this.#missingSince ??= clock.monotonicMs();
    const startedAt = statIfThere(paths.started) ?? 0;
    return { is: clock.monotonicMs() - this.#missingSince < noteWithinMs ? "running" : "lost", startedAt };
  }

  /** Why the shell could not become the program, in the words of a container engine. */
  #exitOf(exit: ProgramExit): ProgramExit {
    const { spec, paths } = this.#options;
    const why = { 126: "permission denied", 127: "no such file or directory" }[exit.exitCode];
    if (why === undefined || !lstatSync(join(paths.temporary, neverRanName), { throwIfNoEntry: false })) return exit;
    const [program = ""] = programArguments(spec, this.#view());
    return { ...exit, neverRan: cannotStart(spec, `exec: ${JSON.stringify(program)}: ${why}`) };
  }

  async terminate(): Promise<boolean> {
    const pid = this.#programPid();
    if (pid !== undefined) signalProcess(pid, "SIGTERM");
    return pid !== undefined;
  }

  async kill(): Promise<void> {
    const waiter = this.#waiter();
    if (!waiter) return;
    for (const each of membersOf(waiter, taskMark(this.#options.spec.key))) signalProcess(each.pid, "SIGKILL");
  }

  async destroy(): Promise<void> {
    const waiter = this.#waiter();
    // Stopped first, so that it cannot do anything about the loss of its child.
    if (waiter && isRunning(waiter)) signalProcess(waiter.pid, "SIGSTOP");
    await this.kill();
    if (waiter && isRunning(waiter)) signalProcess(waiter.pid, "SIGKILL");
    // A waiter that has not yet written who it is.
    for (const each of processesMarked(taskMark(this.#options.spec.key))) signalProcess(each.pid, "SIGKILL");
  }

  gatewayHost(): string {
    return ownAddress(this.#options.spec);
  }

  async credentialsHost(): Promise<undefined> {
    return undefined;
  }

  choosePort(): Promise<number> {
    return freePort(ownAddress(this.#options.spec));
  }

  async servingHost(): Promise<string> {
    return ownAddress(this.#options.spec);
  }

  /** The program ran as this user, or this user is root. */
  async reclaim(): Promise<void> {}

  async usage(): Promise<Usage> {
    const waiter = this.#waiter();
    const all = waiter && isRunning(waiter) ? descendantsOf(waiter.pid) : [];
    const ticks = all.reduce((sum, each) => sum + each.cpuTicks, 0);
    const memoryBytes = all.reduce((sum, each) => sum + residentBytes(each.pid), 0);
    return { cpuMs: (ticks * 1_000) / ticksPerSecond, memoryBytes };
  }

  /** Its /tmp and /opt/ml are in the folder. */
  async outsideBytes(): Promise<number> {
    return 0;
  }

  #view(): ProgramView {
    const { bwrap, entry, nodePath, paths, devices } = this.#options;
    const python = this.#options.python?.();
    const gpus = devices.gpus.length === 0 ? {} : { gpus: this.#given().gpus };
    if (bwrap !== undefined) return { ...privateView(entry, python !== undefined), ...gpus };
    const scripts = join(packageFolder(entry), "python");
    const bare = {
      node: nodePath,
      entry,
      root: paths.root,
      temporary: paths.temporary,
      isPrivate: false,
      scripts,
      ...gpus,
    };
    return python === undefined ? bare : { ...bare, python: join(python, "bin") };
  }

  #given(): MachineDevices {
    return givenDevices(this.#options.spec.instance, this.#options.devices);
  }

  #command(): string[] {
    const { bwrap, paths, nodePath, entry, binds } = this.#options;
    if (bwrap === undefined) return ["/bin/sh", paths.startScript];
    const python = this.#options.python?.();
    const [user, devices] = [this.#user, this.#given()];
    return namespaceCommand({ bwrap, paths, nodePath, entry, python, user, binds: binds(), devices });
  }

  #waiter(): ProcessIdentity | undefined {
    this.#knownWaiter ??= readWaiter(this.#options.paths);
    return this.#knownWaiter;
  }

  #programPid(): number | undefined {
    const waiter = this.#waiter();
    if (!waiter || !isRunning(waiter)) return undefined;
    const all = listProcesses();
    let pid: number | undefined = waiter.pid;
    for (let depth = this.#options.bwrap === undefined ? 1 : namespaceDepth; depth > 0 && pid !== undefined; depth--) {
      const parent: number = pid;
      pid = all.find((each) => each.parent === parent)?.pid;
    }
    return pid;
  }
}

export const createProcessRunner = (options: ProcessRunnerOptions): Runner => new ProcessRunner(options);

function lookAt(paths: TaskPaths, waiter: ProcessIdentity | undefined): ProgramState | "unclear" {
  const started = statIfThere(paths.started);
  if (started === undefined) return { is: "not-started" };
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
