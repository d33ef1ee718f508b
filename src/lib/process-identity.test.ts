import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { descendantsOf, identifyProcess, isRunning, parseStatLine, residentBytes } from "./process-identity.ts";

test("a process is itself, and no other that has its number", () => {
  const self = identifyProcess(process.pid)!;
  expect(isRunning(self)).toBe(true);
  expect(isRunning({ ...self, startTime: "another time" })).toBe(false);
  expect(isRunning({ ...self, bootId: "another boot" })).toBe(false);
});

test("a process that ended has no identity and does not run", async () => {
  const child = spawn("sleep", ["100"]);
  const identity = identifyProcess(child.pid!)!;
  expect(isRunning(identity)).toBe(true);
  expect(descendantsOf(process.pid).map(({ pid }) => pid)).toContain(child.pid);
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
  expect(isRunning(identity)).toBe(false);
  expect(identifyProcess(child.pid!)).toBeUndefined();
});

test("a stat line is read even when the program's name has parentheses and spaces", () => {
  const fields = "S 7 40 40 0 -1 0 0 0 0 0 3 4 5 6 20 0 1 0 12345 0 0";
  expect(parseStatLine(`42 (a) b (c)) ${fields}`)).toEqual({
    pid: 42,
    parent: 7,
    session: 40,
    startTime: "12345",
    cpuTicks: 18,
  });
  expect(parseStatLine(`42 (dead) ${fields.replace("S", "Z")}`)).toBeUndefined();
  expect(parseStatLine("nonsense")).toBeUndefined();
});

test.skipIf(process.platform !== "linux")("resident memory is known on Linux (skipped elsewhere: no /proc)", () => {
  expect(residentBytes(process.pid)).toBeGreaterThan(10_000_000);
});
