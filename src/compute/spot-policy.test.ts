import { expect, test } from "vitest";
import { parseSpotPolicy, readSpotPolicy } from "./spot-policy.ts";

test("a schedule interrupts attempt by attempt, by instance type or for all", () => {
  const policy = parseSpotPolicy(
    '{"discountPercent": 70, "interruptions": {"ml.m5.large": {"afterSeconds": [5, 0.5]}, "*": {"afterSeconds": [9]}}}',
  );
  const at = (type: string, attempt: number) => policy.interruptedAfterMs(type, "job", attempt);
  expect([at("ml.m5.large", 0), at("ml.m5.large", 1), at("ml.m5.large", 2)]).toEqual([5_000, 500, undefined]);
  expect([at("ml.c5.large", 0), at("ml.c5.large", 1)]).toEqual([9_000, undefined]);
  expect(policy.discountPercent).toBe(70);
});

test("a rate brings interruptions by chance, the same each time for a job and its attempt", () => {
  const policy = parseSpotPolicy('{"interruptions": {"*": {"ratePerHour": 2}}}');
  const times = Array.from({ length: 2_000 }, (_, at) => policy.interruptedAfterMs("x", `job-${at}`, 0) ?? 0);
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  expect(mean / 1_800_000).toBeGreaterThan(0.9);
  expect(mean / 1_800_000).toBeLessThan(1.1);
  expect(policy.interruptedAfterMs("x", "job-1", 0)).toBe(times[1]);
  expect(policy.interruptedAfterMs("x", "job-1", 1)).not.toBe(times[1]);
  expect(
    parseSpotPolicy('{"interruptions": {"*": {"ratePerHour": 0}}}').interruptedAfterMs("x", "j", 0),
  ).toBeUndefined();
});

test.each([
  ["no json", "no JSON"],
  ["[]", "must be an object"],
  ['{"other": 1}', '"other"'],
  ['{"discountPercent": 101}', "from 0 to 100"],
  ['{"interruptions": []}', "by instance type"],
  ['{"interruptions": {"ml.x": {"afterSeconds": ["5"]}}}', 'the interruptions of "ml.x"'],
  ['{"interruptions": {"ml.x": {"ratePerHour": -1}}}', 'the interruptions of "ml.x"'],
])("%s is refused in words", (text, part) => {
  expect(() => parseSpotPolicy(text)).toThrow(part);
});

test("without a file nothing is interrupted, and a file that is not there is named", () => {
  expect(readSpotPolicy("").interruptedAfterMs("x", "j", 0)).toBeUndefined();
  expect(() => readSpotPolicy("/no/such/file")).toThrow("--spot-interruptions /no/such/file: ENOENT");
});
