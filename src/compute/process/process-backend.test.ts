import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { setUpTask, until } from "../../agent/task-bench.fake.ts";
import { describeComputeBackend } from "../contract/life.contract.ts";

describeComputeBackend("the process backend", async () => {
  const bench = await setUpTask();
  const flag = (key: string): string => join(bench.folder, `${key}.end`);
  const program = (key: string) =>
    `setInterval(() => { if (require("fs").existsSync(${JSON.stringify(flag(key))})) process.exit(0); }, 20)`;
  return {
    backend: bench.backend,
    task: (key) => ({ ...bench.spec(program(key)), key }),
    end: async (key) => writeFileSync(flag(key), ""),
  };
});

test("an agent that cannot start is tried again some times, then the task has ended with a problem", async () => {
  const bench = await setUpTask({ entry: [process.execPath, "-e", "process.exit(1)"] });
  await bench.start("");
  const look = async () => (await bench.backend.inspect(bench.key))?.problem;
  await expect.poll(look, { timeout: 10_000, interval: 30 }).toMatch(/ended 5 times in a row; see .*agent\.log/);
});

test("a key that would leave the folder of the tasks is refused", async () => {
  const bench = await setUpTask();
  await expect(bench.backend.start({ ...bench.spec(""), key: "../x" })).rejects.toThrow("cannot be a task's key");
  expect(readdirSync(bench.folder)).toEqual([]);
});

test("a running task is removed with all its processes", async () => {
  const bench = await setUpTask();
  await bench.start(`console.log("up"); setInterval(() => {}, 1000)`);
  await bench.untilLine("up");
  expect(bench.processes().length).toBeGreaterThanOrEqual(3);
  await bench.backend.remove(bench.key);
  expect(existsSync(bench.paths().folder)).toBe(false);
  await expect.poll(bench.processes, { timeout: 2_000, interval: 20 }).toEqual([]);
});

test("what a killed server left half removed is cleared away when the tasks are listed", async () => {
  const bench = await setUpTask();
  mkdirSync(join(bench.folder, "tasks", ".gone-1", "root"), { recursive: true });
  expect(await Array.fromAsync(bench.backend.list())).toEqual([]);
  expect(readdirSync(join(bench.folder, "tasks"))).toEqual([]);
});

test("an agent that was killed gets a successor as often as it takes", async () => {
  const bench = await setUpTask();
  await bench.start(`console.log("up"); setInterval(() => {}, 1000)`);
  await bench.untilLine("up");
  for (let kills = 0; kills < 7; kills++) {
    await until("an agent to kill", async () => {
      expect((await bench.backend.inspect(bench.key))?.state).not.toBe("ended");
      return bench.killAgent();
    });
  }
  expect(bench.server.lines()).toEqual(["up"]);
});
