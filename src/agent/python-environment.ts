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
import type { PythonNeeds } from "../task/task.ts";
import { StageError } from "./planned-path.ts";

export interface PythonOptions {
  /** Where all environments lie. */
  readonly environments: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A line for the task's log. */
  readonly tell: (line: string) => void;
  /** Default: the system's python3. */
  readonly python?: string;
}

const waitMs = 500;
const linesKept = 20;

function placeOf(environments: string, { name, packages }: PythonNeeds): string {
  const hash = createHash("sha256").update(packages.join("\n")).digest("hex").slice(0, 12);
  return join(environments, `${name}-${hash}`);
}

/** The venv's folder, whether it is there yet or not. */
export const pythonFolder = (environments: string, needs: PythonNeeds): string =>
  join(placeOf(environments, needs), "venv");

const pythonOf = (place: string): string => join(place, "venv", "bin", "python");

/** Made to the end, and for the Python that is still there: an upgrade of the system leaves a venv that finds no packages. */
function isReady(place: string): boolean {
  const ready = join(place, "ready");
  const python = pythonOf(place);
  return existsSync(ready) && existsSync(python) && readFileSync(ready, "utf8") === realpathSync(python);
}

/** Resolves once the environment is whole. Throws StageError with a text for the user when it cannot be made. */
export async function ensurePython(needs: PythonNeeds, options: PythonOptions): Promise<void> {
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

async function make(needs: PythonNeeds, folder: string, options: PythonOptions): Promise<void> {
  const { clock, tell } = options;
  const python = options.python ?? findSystemProgram("python3");
  if (python === undefined) throw new StageError("This machine has no python3 in its system folders");
  const startedAt = clock.monotonicMs();
  tell(`Making the Python environment ${needs.name}, once on this machine: ${needs.packages.join(" ")}`);
  // What an agent that was killed left half made.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const pip = [join(folder, "bin", "python"), "-m", "pip", "install", "--progress-bar", "off", "--no-input"];
  await run([python, "-m", "venv", folder], needs, options);
  if (needs.packages.length > 0) await run([...pip, ...needs.packages], needs, options);
  makeMovable(join(folder, "bin"));
  tell(
    `The Python environment ${needs.name} is ready after ${Math.round((clock.monotonicMs() - startedAt) / 1_000)} s`,
  );
}

/** Others than the maker must be able to read it, and what the maker has set for Python is not theirs. */
const wrapper = 'umask 022; unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_USER; exec "$@"';

async function run(command: readonly string[], { name }: PythonNeeds, options: PythonOptions): Promise<void> {
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
