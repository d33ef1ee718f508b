// The clients' Pythons: one environment per set of packages, made once by uv (by pip where uv cannot be had) and kept under .cache.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { lockFolder } from "../src/lib/folder-lock.ts";
import { run, type Ended } from "./run-program.ts";

const environments = join(import.meta.dirname, "..", ".cache", "acceptance");

/** Compiles what it installs, in every process but its own tests. */
const pipEnvironment = { ...process.env, PYTHONDONTWRITEBYTECODE: "" };
const pipFlags = ["install", "--quiet", "--disable-pip-version-check", "--compile"];
const uvPackage = "uv==0.13.9";

const pythonOf = (folder: string): string => join(folder, "bin", "python");

/** `venv` and `pip` in a fresh folder; the failure of the one that failed. */
async function madeByPip(folder: string, packages: readonly string[]): Promise<Ended> {
  const made = await run("python3", ["-m", "venv", folder]);
  return made.status === 0 ? run(pythonOf(folder), ["-m", "pip", ...pipFlags, ...packages], pipEnvironment) : made;
}

/** Path of uv, undefined where it cannot be installed. */
async function findUv(): Promise<string | undefined> {
  const folder = join(environments, "uv");
  const uv = join(folder, "bin", "uv");
  if (existsSync(uv) && (await run(uv, ["--version"])).stdout.startsWith(uvPackage.replace("==", " "))) return uv;
  rmSync(folder, { recursive: true, force: true });
  return (await madeByPip(folder, [uvPackage])).status === 0 ? uv : undefined;
}

async function madeByUv(uv: string, folder: string, packages: readonly string[]): Promise<Ended> {
  const environment = { ...pipEnvironment, UV_CACHE_DIR: join(environments, "uv-cache") };
  const made = await run(uv, ["venv", "--quiet", "--seed", "--python", "python3", folder], environment);
  const install = ["pip", "install", "--quiet", "--compile-bytecode", "--python", pythonOf(folder), ...packages];
  return made.status === 0 ? run(uv, install, environment) : made;
}

/** An environment with these packages; a string says why there is none. */
export async function pythonFor(
  name: string,
  packages: readonly string[],
): Promise<{ readonly python: string } | string> {
  const folder = join(environments, name);
  const python = pythonOf(folder);
  const marker = join(folder, "installed.txt");
  const wanted = packages.join("\n");
  if (existsSync(marker) && readFileSync(marker, "utf8") === wanted) return { python };
  if ((await run("python3", ["--version"])).status !== 0) return "there is no Python 3 on this machine";
  const lock = await lockMaking();
  try {
    // Made meanwhile, perhaps, by the suite that held the lock.
    if (existsSync(marker) && readFileSync(marker, "utf8") === wanted) return { python };
    return (await isMade(name, folder, packages)) ? { python } : "its Python environment could not be made";
  } finally {
    lock.release();
  }
}

/** Suites run two at a time: one makes environments, the other waits. */
async function lockMaking(): Promise<{ release(): void }> {
  for (;;) {
    const lock = lockFolder(join(environments, "making"));
    if (lock) return lock;
    await setTimeout(200);
  }
}

async function isMade(name: string, folder: string, packages: readonly string[]): Promise<boolean> {
  process.stdout.write(`Making the Python environment ${name} (once): ${packages.join(" ")} …\n`);
  const uv = await findUv();
  for (const make of [uv === undefined ? undefined : madeByUv.bind(undefined, uv), madeByPip]) {
    if (!make) continue;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const made = await make(folder, packages);
    if (made.status === 0) {
      writeFileSync(join(folder, "installed.txt"), packages.join("\n"));
      return true;
    }
    process.stdout.write(`${made.stderr.trim().split("\n").at(-1)}\n`);
  }
  return false;
}
