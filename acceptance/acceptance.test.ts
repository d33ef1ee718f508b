// The suites of the real clients, and the quickstart as a newcomer runs it, as part of `npm test`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { mayBeSkipped } from "../tools/expected-skips.ts";
import { accept } from "./run.ts";
import { processesOf } from "./kill/processes.ts";

for (const client of [
  "boto3",
  "sdk2",
  "frameworks",
  "notebook",
  "exec",
  "cli1",
  "cli2",
  "sdkjs",
  "s3fs",
  "pyarrow-s3",
  "sdk3",
  "registry",
  "docker",
  "terraform",
]) {
  test(`${client}, unpatched, does everything in its suite`, { timeout: 600_000 }, async (context) => {
    const counts = await accept(client);
    if (typeof counts === "string") {
      context.skip(counts);
      return;
    }
    expect(counts).toMatchObject({ failed: 0 });
    expect(counts.skips.filter((told) => !mayBeSkipped(told))).toEqual([]);
    expect(counts.passed).toBeGreaterThan(0);
  });
}

test("the quickstart trains, deploys, asks, and leaves nothing behind", { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "salvia-quickstart-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const script = join(import.meta.dirname, "..", "examples", "quickstart", "quickstart.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
    encoding: "utf8",
    env: { ...process.env, TMPDIR: folder },
  });
  expect(status, stderr).toBe(0);
  const purity = Number(/purity\s+([\d.]+)/.exec(stdout)?.[1]);
  expect(purity).toBeGreaterThanOrEqual(0.55);
  expect(stdout).toMatch(/test:msd\s+\d+\.\d+/);
  expect(stdout).toContain("What to try next");
  expect(readdirSync(folder)).toEqual([]);
  expect(processesOf(folder)).toEqual([]);
});
