import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { silentLog } from "../lib/log.ts";
import { gpuProbe, parseGpuUsage } from "./gpu-usage.ts";

function tool(script: string): { readonly path: string; calls(): number } {
  const folder = mkdtempSync(join(tmpdir(), "salvia-gpu-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "nvidia-smi");
  writeFileSync(path, `#!/bin/sh\necho called >> "${folder}/calls"\n${script}\n`);
  chmodSync(path, 0o755);
  return { path, calls: () => readFileSync(join(folder, "calls"), "utf8").trim().split("\n").length };
}

test("several GPUs add up; one that does not tell is left out", () => {
  expect(parseGpuUsage("50, 1000, 4000\n100, 2000, 4000\n")).toEqual({ gpuPercent: 150, gpuMemoryPercent: 75 });
  expect(parseGpuUsage("[N/A], [N/A], 4000\n10, 400, 4000\n")).toEqual({ gpuPercent: 10, gpuMemoryPercent: 10 });
  expect(parseGpuUsage("No devices were found\n")).toBeUndefined();
});

test("the tool is asked each time it answers, and never again after it failed", async () => {
  const works = tool('echo "30, 100, 1000"');
  const probe = gpuProbe(silentLog, works.path);
  expect(await probe()).toEqual({ gpuPercent: 30, gpuMemoryPercent: 10 });
  expect(await probe()).toEqual({ gpuPercent: 30, gpuMemoryPercent: 10 });
  const fails = tool("exit 9");
  const broken = gpuProbe(silentLog, fails.path);
  expect([await broken(), await broken(), fails.calls()]).toEqual([undefined, undefined, 1]);
  expect(await gpuProbe(silentLog, "/no/such/tool")()).toBeUndefined();
});
