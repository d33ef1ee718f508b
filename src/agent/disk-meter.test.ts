import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { FakeClock } from "../lib/clock.fake.ts";
import { silentLog } from "../lib/log.ts";
import { taskPaths } from "../task/task-folder.ts";
import type { TaskSpec } from "../task/task.ts";
import { taskSpecFake } from "../task/task.fake.ts";
import { diskMeter, type MeteredTask } from "./disk-meter.ts";

const mebibyte = 2 ** 20;

function setUp(changes: Partial<TaskSpec> = {}, outsideBytes: () => Promise<number> = async () => 0) {
  const folder = mkdtempSync(join(tmpdir(), "salvia-meter-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const paths = taskPaths(folder);
  mkdirSync(paths.root);
  const clock = new FakeClock();
  const task: MeteredTask = {
    spec: { ...taskSpecFake, ...changes },
    paths,
    clock,
    log: silentLog,
    runner: { outsideBytes },
  };
  return { paths, clock, meter: diskMeter(task) };
}

const roundedMebibytes = (bytes: number | undefined): number => Math.round((bytes ?? NaN) / mebibyte);

test("files count, whatever the program takes elsewhere, and a job's output even after it was cut out", async () => {
  const { paths, meter } = setUp({}, async () => 2 * mebibyte);
  writeFileSync(join(paths.root, "model"), Buffer.alloc(mebibyte, 1));
  writeFileSync(paths.output, "");
  truncateSync(paths.output, 4 * mebibyte);
  expect(roundedMebibytes(await meter.usedBytes())).toBe(7);
});

test("an endpoint may talk for ever", async () => {
  const { paths, meter } = setUp({ purpose: "hosting" });
  writeFileSync(paths.output, "");
  truncateSync(paths.output, 4 * mebibyte);
  expect(roundedMebibytes(await meter.usedBytes())).toBe(0);
});

test("after counting, the meter rests fifty times as long, and tells what it knew", async () => {
  const took = { ms: 100 };
  const { paths, clock, meter } = setUp({}, async () => {
    await clock.advance(took.ms);
    return 0;
  });
  await meter.usedBytes();
  writeFileSync(join(paths.root, "model"), Buffer.alloc(mebibyte, 1));
  await clock.advance(4_900);
  expect(roundedMebibytes(await meter.usedBytes())).toBe(0);
  await clock.advance(200);
  expect(roundedMebibytes(await meter.usedBytes())).toBe(1);
});

test("what cannot be counted is unknown, and no failure of the task", async () => {
  const { meter } = setUp({}, () => Promise.reject(new Error("the engine is odd")));
  expect(await meter.usedBytes()).toBeUndefined();
});
