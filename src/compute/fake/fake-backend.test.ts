import { expect, test } from "vitest";
import { aTask, describeComputeBackend } from "../contract/life.contract.ts";
import { CapacityError } from "../backend.ts";
import type { TaskEvent } from "../../task/report.ts";
import { createFakeBackend } from "./fake-backend.ts";

describeComputeBackend("the fake backend", async () => {
  const backend = createFakeBackend();
  return { backend, task: (key) => aTask(key), end: (key) => backend.finish(key, { how: "exited", exitCode: 0 }) };
});

test("a start fails once when it is told to, before or after the task exists", async () => {
  const backend = createFakeBackend();
  backend.failNext = { error: new CapacityError("full"), afterStart: false };
  await expect(backend.start(aTask("a"))).rejects.toThrow("full");
  expect(await backend.inspect("a")).toBeUndefined();
  backend.failNext = { error: new Error("no answer"), afterStart: true };
  await expect(backend.start(aTask("a"))).rejects.toThrow("no answer");
  await backend.start(aTask("a"));
  expect(backend.starts.get("a")).toBe(1);
});

test("what a task is told to report reaches the callback, its end too", async () => {
  const seen: TaskEvent[] = [];
  const backend = createFakeBackend((_task, events) => void seen.push(...events));
  await backend.start(aTask("a"));
  await backend.report("a", [{ type: "phase", at: 1, phase: "running" }]);
  await backend.finish("a", { how: "exited", exitCode: 3, endedAt: 2 });
  expect(seen.map(({ type }) => type)).toEqual(["phase", "end"]);
  expect(await backend.inspect("a")).toEqual({ state: "ended" });
});
