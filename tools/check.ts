// `npm run check`: everything that can be said without running a test. Prints one line per check, and what a failed one said.
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";

interface Check {
  readonly name: string;
  readonly command: readonly string[];
  /** Exit code 2 means that it could not be checked here. */
  readonly canSkip?: boolean;
}

const places = ["src", "tools", "bench", "acceptance", "examples"];
const checks: readonly Check[] = [
  { name: "format", command: ["oxfmt", "--check", "."] },
  { name: "lint", command: ["oxlint", "--type-aware", "--deny-warnings", ...places] },
  { name: "types", command: ["tsc", "-p", "."] },
  { name: "rooms", command: ["node", "tools/check-rooms.ts"] },
  { name: "dead code", command: ["knip"] },
  { name: "models unchanged", command: ["node", "tools/generate-models.ts", "--check"], canSkip: true },
  { name: "kernels unchanged", command: ["node", "tools/build-kernels.ts", "--check"] },
  { name: "frameworks page unchanged", command: ["node", "tools/frameworks-page.ts", "--check"] },
  { name: "coverage table unchanged", command: ["node", "bin/salvia.js", "coverage", "--check", "docs/coverage.md"] },
];

let failed = 0;
for (const { name, command, canSkip } of checks) {
  const [program = "", ...args] = command;
  const startedAt = performance.now();
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  const took = ((performance.now() - startedAt) / 1_000).toFixed(1);
  // 2: the check's own ground is missing (no Python, no network). CI has both, so there it is a failure.
  const isSkipped = status === 2 && canSkip === true && process.env["CI"] === undefined;
  const isFine = status === 0;
  process.stdout.write(`${isFine ? "✓" : isSkipped ? "-" : "✗"} ${name} (${took} s)\n`);
  if (isFine) continue;
  if (isSkipped) {
    process.stdout.write(`  skipped: ${stderr.trim()}\n`);
    continue;
  }
  failed++;
  process.stdout.write(`${error ? String(error) : ""}${stdout}${stderr}\n`);
}

const lines = globSync("{src,tools,bench,acceptance,examples,python}/**/*.{ts,js,py}")
  .filter((file) => !file.includes("/generated/") && !file.includes("node_modules"))
  .reduce((sum, file) => sum + readFileSync(file, "utf8").split("\n").length, 0);
process.stdout.write(`${lines} lines of our own code\n`);
process.stdout.write(failed === 0 ? "check: all is well\n" : `check: ${failed} of ${checks.length} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
