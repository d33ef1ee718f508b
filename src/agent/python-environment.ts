// The Python environments of framework images: a venv (PEP 405) per set of packages, made once on a machine by whichever agent needs it
// first, and shared by all tasks, which cannot write to it.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Clock } from "../lib/clock.ts";
import { lockFolder } from "../lib/folder-lock.ts";
import { findSystemProgram } from "../lib/probe-namespaces.ts";
import { readIfThere } from "../task/task-folder.ts";
import { pipFailure } from "./pip-failure.ts";
import { StageError } from "./planned-path.ts";

/** One environment: its packages on a Python of this machine. */
export interface PythonWish {
  /** Safe as a file name. */
  readonly name: string;
  /** pip requirements, pinned. */
  readonly packages: readonly string[];
  /** Default: the system's python3. */
  readonly python?: string;
  /** An index besides the default one. */
  readonly extraIndex?: string;
  /** Something to know before it is installed. */
  readonly note?: string;
  /** Whether it sees the packages of the system's Python, too. */
  readonly seesSystem?: boolean;
}

export interface PythonOptions {
  /** Where all environments lie. */
  readonly environments: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A line for the task's log. */
  readonly tell: (line: string) => void;
  /** Path of uv, which installs several times faster than pip. */
  readonly uv?: string;
  /** Its packages were found: from here on it takes more than a release without wheels to fail. */
  readonly onFound?: () => void;
}

/** These packages do not install on this Python, while others may: no matter of the network or the disk. */
export class UninstallableError extends StageError {
  readonly reason: string;

  constructor(name: string, reason: string) {
    super(notMade(name, reason));
    this.reason = reason;
  }
}

const notMade = (name: string, reason: string): string => `The Python environment ${name} could not be made: ${reason}`;

const waitMs = 500;
const linesKept = 200;

function placeOf(environments: string, { name, packages, seesSystem }: PythonWish): string {
  const text = [...packages, ...(seesSystem === true ? ["and the system's"] : [])].join("\n");
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return join(environments, `${name}-${hash}`);
}

/** The venv's folder, whether it is there yet or not. */
export const pythonFolder = (environments: string, needs: PythonWish): string =>
  join(placeOf(environments, needs), "venv");

const pythonOf = (place: string): string => join(place, "venv", "bin", "python");

/** Made to the end, and for the Python that is still there: an upgrade of the system leaves a venv that finds no packages. */
function isReady(place: string): boolean {
  const ready = join(place, "ready");
  const python = pythonOf(place);
  return existsSync(ready) && existsSync(python) && readFileSync(ready, "utf8") === realpathSync(python);
}

/**
 * Resolves once the environment is whole. Throws StageError with a text for the user when it cannot be made, UninstallableError
 * when that is because of its packages.
 */
export async function ensurePython(needs: PythonWish, options: PythonOptions): Promise<void> {
  const { environments, clock, signal, tell, onFound } = options;
  const place = placeOf(environments, needs);
  for (let isWaiting = false; !isReady(place); isWaiting = true) {
    signal.throwIfAborted();
    const lock = lockFolder(place);
    if (!lock) {
      if (!isWaiting) tell(`Waiting for the Python environment ${needs.name}, which another task is making`);
      if (existsSync(foundMark(place))) onFound?.();
      await clock.sleep(waitMs, signal);
      continue;
    }
    try {
      if (isReady(place)) continue;
      await make(needs, place, options);
      writeFileSync(join(place, "ready"), realpathSync(pythonOf(place)));
    } finally {
      rmSync(foundMark(place), { force: true });
      lock.release();
    }
  }
}

/** While it is made, for the tasks that wait: its packages were found. */
const foundMark = (place: string): string => join(place, "found");

async function make(needs: PythonWish, place: string, given: PythonOptions): Promise<void> {
  const onFound = (): void => {
    writeFileSync(foundMark(place), "");
    given.onFound?.();
  };
  const options = { ...given, onFound };
  const folder = join(place, "venv");
  const { clock, tell, uv } = options;
  const python = needs.python ?? findSystemProgram("python3");
  if (python === undefined) throw new StageError("This machine has no python3 in its system folders");
  const startedAt = clock.monotonicMs();
  tell(`Making the Python environment ${needs.name}, once on this machine: ${needs.packages.join(" ")}`);
  if (needs.note !== undefined) tell(needs.note);
  if (uv === undefined || !(await isMadeBy(uvCommands(uv, python, folder, needs), needs, folder, options)))
    await makeWithPip(python, folder, needs, options);
  makeMovable(join(folder, "bin"));
  tell(
    `The Python environment ${needs.name} is ready after ${Math.round((clock.monotonicMs() - startedAt) / 1_000)} s`,
  );
}

/** In a folder without what an agent that was killed left half made. */
function fresh<T>(folder: string, commands: T): T {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return commands;
}

type Commands = readonly (readonly string[])[];

const systemFlag = ({ seesSystem }: PythonWish): readonly string[] =>
  seesSystem === true ? ["--system-site-packages"] : [];

async function makeWithPip(python: string, folder: string, wish: PythonWish, options: PythonOptions): Promise<void> {
  const { name, packages, extraIndex } = wish;
  await run(fresh(folder, [python, "-m", "venv", ...systemFlag(wish), folder]), wish, options);
  if (packages.length === 0) return;
  const log = join(folder, "pip.log");
  const pip = [
    join(folder, "bin", "python"),
    "-m",
    "pip",
    "install",
    "--progress-bar",
    "off",
    "--no-input",
    "--compile",
  ];
  const index = extraIndex === undefined ? [] : ["--extra-index-url", extraIndex];
  // The framework itself comes first in the table and is the largest: whether the others are there is known sooner.
  const wanted = packages.toReversed();
  const command = [...pip, "--log", log, ...index, ...wanted];
  const { exitCode, said } = await runAndListen(command, options, foundByPip(wanted.at(-1) ?? ""));
  const { reason, isOfRelease } = pipFailure({ said, log: readIfThere(log) ?? "", exitCode, ...wish });
  rmSync(log, { force: true });
  if (exitCode === 0) return;
  throw isOfRelease ? new UninstallableError(name, reason) : new StageError(notMade(name, reason));
}

/** Whether pip's lines so far say that the last requirement has been found. */
function foundByPip(last: string): (line: string) => boolean {
  let isCollecting = false;
  return (line) => {
    if (line.startsWith("Collecting ")) isCollecting = line.startsWith(`Collecting ${last}`);
    else if (isCollecting && /^ +(?:Downloading|Using cached|Obtaining|Preparing) /.test(line)) return true;
    return line.startsWith("Installing collected packages");
  };
}

const foundByUv = (line: string): boolean => /^Resolved \d+ package/.test(line);

/** pip is there too (--seed): scripts have requirements of their own. */
function uvCommands(uv: string, python: string, folder: string, wish: PythonWish): Commands {
  const { packages, extraIndex } = wish;
  // As pip does: the best version of all indexes.
  const index = extraIndex === undefined ? [] : ["--index", extraIndex, "--index-strategy", "unsafe-best-match"];
  const install = [uv, "pip", "install", "--compile-bytecode", "--python", join(folder, "bin", "python")];
  return [
    [uv, "venv", "--seed", ...systemFlag(wish), "--python", python, folder],
    ...(packages.length > 0 ? [[...install, ...index, ...packages]] : []),
  ];
}

/** False where uv cannot: it does not read pip's configuration, so that pip may still find an index. */
async function isMadeBy(
  commands: Commands,
  needs: PythonWish,
  folder: string,
  options: PythonOptions,
): Promise<boolean> {
  try {
    for (const command of fresh(folder, commands)) await run(command, needs, options);
    return true;
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    options.tell(`${error.message}; trying with pip`);
    return false;
  }
}

/** Others than the maker must be able to read it, and what the maker has set for Python is not theirs. */
const wrapper =
  'umask 022; unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_USER; export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX-$PIP_INDEX_URL}"; [ -n "$UV_DEFAULT_INDEX" ] || unset UV_DEFAULT_INDEX; exec "$@"';

async function run(command: readonly string[], { name }: PythonWish, options: PythonOptions): Promise<void> {
  const { exitCode, said } = await runAndListen(command, options, foundByUv);
  if (exitCode === 0) return;
  const reason = said.findLast((line) => /error/i.test(line)) ?? said.at(-1) ?? `exit code ${exitCode}`;
  throw new StageError(notMade(name, reason.trim()));
}

interface Ended {
  /** Null: killed by a signal. */
  readonly exitCode: number | null;
  /** Its last lines. */
  readonly said: readonly string[];
}

async function runAndListen(
  command: readonly string[],
  { signal, tell, onFound }: PythonOptions,
  isFound: (line: string) => boolean,
): Promise<Ended> {
  const child = spawn("/bin/sh", ["-c", wrapper, "sh", ...command], { stdio: ["ignore", "pipe", "pipe"], signal });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => {
      tell(line);
      if (isFound(line)) onFound?.();
      said.push(line);
      if (said.length > linesKept) said.shift();
    });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { exitCode, said };
}

/** Tasks see the environment in another place: its scripts find their Python on PATH, not by the path they were installed with. */
function makeMovable(bin: string): void {
  for (const name of readdirSync(bin)) {
    const path = join(bin, name);
    if (!lstatSync(path).isFile()) continue;
    const text = readFileSync(path, "utf8");
    // pip writes the second form where the path is too long for the first.
    const moved = text.replace(
      /^#!(?:.*\/python[\d.]*\n|\/bin\/sh\n'{3}exec' .*\n' '{3}\n)/,
      "#!/usr/bin/env python3\n",
    );
    if (moved !== text) writeFileSync(path, moved);
  }
}
