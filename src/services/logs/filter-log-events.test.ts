import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { FilterLogEventsRequest } from "../../models/generated/logs.ts";
import { createFakeLogs, type FakeLogs } from "./logs.fake.ts";

const now = Date.UTC(2026, 0, 1);

async function readAll(logs: FakeLogs, input: Partial<FilterLogEventsRequest>): Promise<string[]> {
  const found: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = await logs.call("FilterLogEvents", { logGroupName: "/g", ...input, nextToken });
    found.push(...(page.events ?? []).map((event) => event.message ?? ""));
    ({ nextToken } = page);
  } while (nextToken !== undefined);
  return found;
}

async function twoStreams(): Promise<FakeLogs> {
  const logs = await createFakeLogs();
  await logs.append("/g", "job-a/algo-1", [
    { timestamp: now, message: "a0 start" },
    { timestamp: now + 20, message: "a20 ERROR" },
  ]);
  await logs.append("/g", "job-a/algo-2", [{ timestamp: now + 10, message: "b10 ERROR" }]);
  await logs.append("/g", "job-b/algo-1", [{ timestamp: now + 5, message: "c5 done" }]);
  return logs;
}

test("lines of all streams come in order of time, with their stream and an id of their own", async () => {
  const logs = await twoStreams();
  const { events, nextToken } = await logs.call("FilterLogEvents", { logGroupName: "/g" });
  expect(events?.map((event) => event.message)).toEqual(["a0 start", "c5 done", "b10 ERROR", "a20 ERROR"]);
  expect(events?.[1]).toMatchObject({ logStreamName: "job-b/algo-1", timestamp: now + 5, ingestionTime: now });
  expect(new Set(events?.map((event) => event.eventId)).size).toBe(4);
  expect(nextToken).toBeUndefined();
});

test("a prefix, names, a pattern and times narrow the lines; both times are included", async () => {
  const logs = await twoStreams();
  expect(await readAll(logs, { logStreamNamePrefix: "job-a/" })).toEqual(["a0 start", "b10 ERROR", "a20 ERROR"]);
  expect(await readAll(logs, { logStreamNames: ["job-b/algo-1", "job-a/algo-2"] })).toEqual(["c5 done", "b10 ERROR"]);
  expect(await readAll(logs, { filterPattern: "ERROR" })).toEqual(["b10 ERROR", "a20 ERROR"]);
  expect(await readAll(logs, { startTime: now + 5, endTime: now + 10 })).toEqual(["c5 done", "b10 ERROR"]);
});

test("startFromHead false turns the order around, and the token keeps it so", async () => {
  const logs = await twoStreams();
  const input = { startFromHead: false, startTime: now, limit: 3 };
  const first = await logs.call("FilterLogEvents", { logGroupName: "/g", ...input });
  expect(first.events?.map((event) => event.message)).toEqual(["a20 ERROR", "b10 ERROR", "c5 done"]);
  expect(await readAll(logs, input)).toEqual(["a20 ERROR", "b10 ERROR", "c5 done", "a0 start"]);
  await expect(readAll(logs, { startFromHead: false })).rejects.toMatchObject({ code: "InvalidParameterException" });
});

test("names and a prefix together, an unknown stream and a broken token are refused", async () => {
  const logs = await twoStreams();
  const call = (input: Partial<FilterLogEventsRequest>) =>
    logs.call("FilterLogEvents", { logGroupName: "/g", ...input });
  await expect(call({ logStreamNames: ["x"], logStreamNamePrefix: "x" })).rejects.toMatchObject({
    code: "InvalidParameterException",
  });
  await expect(call({ logStreamNames: ["x"] })).rejects.toMatchObject({ code: "ResourceNotFoundException" });
  await expect(call({ nextToken: "zzz" })).rejects.toMatchObject({ message: "The specified nextToken is invalid." });
});

test("lines of a deleted stream are found no more", async () => {
  const logs = await twoStreams();
  await logs.call("DeleteLogStream", { logGroupName: "/g", logStreamName: "job-a/algo-1" });
  expect(await readAll(logs, {})).toEqual(["c5 done", "b10 ERROR"]);
});

const line = fc.record({ stream: fc.integer({ min: 0, max: 3 }), time: fc.integer({ min: 0, max: 6 }) });

test("pages of any size give each line once, in order, for a group, a prefix and some names, both ways", async () => {
  const runs = fc.asyncProperty(
    fc.array(line, { maxLength: 40 }),
    fc.integer({ min: 1, max: 7 }),
    fc.constantFrom<Partial<FilterLogEventsRequest>>(
      {},
      { logStreamNamePrefix: "s" },
      { logStreamNames: ["s0", "s2"] },
    ),
    fc.boolean(),
    async (given, limit, which, startFromHead) => {
      const logs = await createFakeLogs();
      for (const name of ["s0", "s1", "s2", "s3"])
        await logs.append("/g", name, [{ timestamp: now, message: `${name} first` }]);
      for (const [index, { stream, time }] of given.entries())
        await logs.append("/g", `s${stream}`, [{ timestamp: now + time, message: `s${stream} ${time} ${index}` }]);
      const whole = await readAll(logs, { ...which, startTime: now });
      const names = which.logStreamNames ?? ["s0", "s1", "s2", "s3"];
      const wanted = given.filter(({ stream }) => names.includes(`s${stream}`)).length + names.length;
      expect(new Set(whole).size).toBe(wanted);
      const times = whole.map((message) => Number(/ (\d)/.exec(message)?.[1] ?? 0));
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      const paged = await readAll(logs, { ...which, startTime: now, limit, startFromHead });
      expect(paged).toEqual(startFromHead ? whole : whole.toReversed());
    },
  );
  await fc.assert(runs, { numRuns: 40 });
});
