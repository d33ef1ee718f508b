// A Python environment for the peers, made once under .cache.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Folder of the environment's programs. Throws when there is no Python or a package cannot be had. */
export function peerPrograms(name: string, packages: readonly string[]): string {
  const folder = join(import.meta.dirname, "..", ".cache", "bench", name);
  const marker = join(folder, "installed.txt");
  const wanted = packages.join("\n");
  if (existsSync(marker) && readFileSync(marker, "utf8") === wanted) return join(folder, "bin");
  mkdirSync(folder, { recursive: true });
  const run = (program: string, args: readonly string[]): void => {
    const { status, stderr, error } = spawnSync(program, args, {
      encoding: "utf8",
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: "" },
    });
    if (status !== 0) throw new Error(`the peer's environment could not be made: ${error?.message ?? stderr}`);
  };
  process.stdout.write(`  making the peer's Python environment (once): ${packages.join(" ")}\n`);
  run("python3", ["-m", "venv", folder]);
  run(join(folder, "bin", "python"), ["-m", "pip", "install", "--quiet", "--compile", ...packages]);
  writeFileSync(marker, wanted);
  return join(folder, "bin");
}
