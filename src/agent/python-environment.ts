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
}

const waitMs = 500;
const linesKept = 20;

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

/** Resolves once the environment is whole. Throws StageError with a text for the user when it cannot be made. */
export async function ensurePython(needs: PythonWish, options: PythonOptions): Promise<void> {
  const { environments, clock, signal, tell } = options;
  const place = placeOf(environments, needs);
  for (let isWaiting = false; !isReady(place); isWaiting = true) {
    signal.throwIfAborted();
    const lock = lockFolder(place);
    if (!lock) {
      if (!isWaiting) tell(`Waiting for the Python environment ${needs.name}, which another task is making`);
      await clock.sleep(waitMs, signal);
      continue;
    }
    try {
      if (isReady(place)) continue;
      await make(needs, join(place, "venv"), options);
      writeFileSync(join(place, "ready"), realpathSync(pythonOf(place)));
    } finally {
      lock.release();
    }
  }
}

async function make(needs: PythonWish, folder: string, options: PythonOptions): Promise<void> {
  const { clock, tell, uv } = options;
  const python = needs.python ?? findSystemProgram("python3");
  if (python === undefined) throw new StageError("This machine has no python3 in its system folders");
  const startedAt = clock.monotonicMs();
  tell(`Making the Python environment ${needs.name}, once on this machine: ${needs.packages.join(" ")}`);
  if (needs.note !== undefined) tell(needs.note);
  if (uv === undefined || !(await isMadeBy(uvCommands(uv, python, folder, needs), needs, folder, options)))
    for (const command of fresh(folder, pipCommands(python, folder, needs))) await run(command, needs, options);
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

function pipCommands(python: string, folder: string, wish: PythonWish): Commands {
  const { packages, extraIndex } = wish;
  const pip = [join(folder, "bin", "python"), "-m", "pip", "install", "--progress-bar", "off", "--no-input"];
  const index = extraIndex === undefined ? [] : ["--extra-index-url", extraIndex];
  const install = packages.length > 0 ? [[...pip, ...index, ...packages]] : [];
  return [[python, "-m", "venv", ...systemFlag(wish), folder], ...install];
}

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
  const { signal, tell } = options;
  const child = spawn("/bin/sh", ["-c", wrapper, "sh", ...command], { stdio: ["ignore", "pipe", "pipe"], signal });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => {
      tell(line);
      said.push(line);
      if (said.length > linesKept) said.shift();
    });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (exitCode === 0) return;
  const reason = said.findLast((line) => /error/i.test(line)) ?? said.at(-1) ?? `exit code ${exitCode}`;
  throw new StageError(`The Python environment ${name} could not be made: ${reason.trim()}`);
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
