import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { GetLogEventsRequest, OutputLogEvent } from "../../models/generated/logs.ts";
import { createFakeLogs, type FakeLogs } from "./logs.fake.ts";

const stream = { logGroupName: "/g", logStreamName: "s" };
const now = Date.UTC(2026, 0, 1);

const lines = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ timestamp: now + from + index, message: `line ${from + index}` }));

const messages = (events: readonly OutputLogEvent[] | undefined): string[] =>
  (events ?? []).map((event) => event.message ?? "");

async function withLines(count: number): Promise<FakeLogs> {
  const logs = await createFakeLogs();
  await logs.append("/g", "s", lines(0, count));
  return logs;
}

const get = (logs: FakeLogs, input: Partial<GetLogEventsRequest> = {}) =>
  logs.call("GetLogEvents", { ...stream, ...input });

test("without a token the newest lines come, in order of time", async () => {
  const logs = await withLines(10);
  const page = await get(logs, { limit: 3 });
  expect(messages(page.events)).toEqual(["line 7", "line 8", "line 9"]);
});

test("with startFromHead the oldest lines come first, and the forward token goes on from there", async () => {
  const logs = await withLines(5);
  const first = await get(logs, { limit: 3, startFromHead: true });
  const second = await get(logs, { limit: 3, startFromHead: true, nextToken: first.nextForwardToken });
  expect([...messages(first.events), ...messages(second.events)]).toEqual(messages(lines(0, 5)));
});

test("at the end the same forward token comes back, and later lines are found behind it", async () => {
  const logs = await withLines(2);
  const { nextForwardToken } = await get(logs, { startFromHead: true });
  const atEnd = await get(logs, { startFromHead: true, nextToken: nextForwardToken });
  expect(atEnd.events).toEqual([]);
  expect(atEnd.nextForwardToken).toBe(nextForwardToken);
  await logs.append("/g", "s", lines(2, 1));
  const later = await get(logs, { startFromHead: true, nextToken: atEnd.nextForwardToken });
  expect(messages(later.events)).toEqual(["line 2"]);
});

test("an empty stream gives tokens that find its first lines", async () => {
  const logs = await createFakeLogs();
  await logs.call("CreateLogGroup", { logGroupName: "/g" });
  await logs.call("CreateLogStream", stream);
  const { events, nextForwardToken } = await get(logs, { startFromHead: true });
  expect(events).toEqual([]);
  await logs.append("/g", "s", lines(0, 1));
  expect(messages((await get(logs, { nextToken: nextForwardToken })).events)).toEqual(["line 0"]);
});

test("the start time is included, the end time is not", async () => {
  const logs = await withLines(5);
  const page = await get(logs, { startTime: now + 1, endTime: now + 3 });
  expect(messages(page.events)).toEqual(["line 1", "line 2"]);
});

test("a page holds at most a megabyte and always a line", async () => {
  const logs = await createFakeLogs();
  const large = "x".repeat(600_000);
  await logs.append("/g", "s", [
    { timestamp: now, message: `a${large}` },
    { timestamp: now, message: `b${large}` },
    { timestamp: now, message: "c".repeat(2_000_000) },
  ]);
  const pages: string[] = [];
  let token: string | undefined;
  for (;;) {
    const page = await get(logs, { startFromHead: true, nextToken: token });
    if (page.nextForwardToken === token) break;
    token = page.nextForwardToken;
    pages.push(
      messages(page.events)
        .map((message) => message[0])
        .join(""),
    );
  }
  expect(pages).toEqual(["a", "b", "c"]);
});

test("a token that is none, a missing group and a missing stream are refused in AWS's words", async () => {
  const logs = await withLines(1);
  await expect(get(logs, { nextToken: "f/12/s" })).rejects.toMatchObject({
    code: "InvalidParameterException",
    message: "The specified nextToken is invalid.",
  });
  await expect(get(logs, { logGroupName: "/none" })).rejects.toMatchObject({
    code: "ResourceNotFoundException",
    message: "The specified log group does not exist.",
  });
  await expect(get(logs, { logStreamName: "none" })).rejects.toMatchObject({
    message: "The specified log stream does not exist.",
  });
  await expect(logs.call("GetLogEvents", { logStreamName: "s" })).rejects.toMatchObject({
    code: "InvalidParameterException",
  });
});

test("the group may be named by its ARN, but not one of another account", async () => {
  const logs = await withLines(1);
  const named = (account: string) =>
    logs.call("GetLogEvents", {
      logStreamName: "s",
      logGroupIdentifier: `arn:aws:logs:us-west-2:${account}:log-group:/g`,
    });
  expect((await named("000000000000")).events).toHaveLength(1);
  await expect(named("111111111111")).rejects.toMatchObject({ code: "ResourceNotFoundException" });
});

interface Line {
  readonly timestamp: number;
  readonly message: string;
}

/** The model: lines in order of time, then of arrival; a reader stands behind a line (or before all). */
const sorted = (all: readonly Line[]): Line[] => all.toSorted((a, b) => a.timestamp - b.timestamp);

const step = fc.oneof(
  fc.record({ do: fc.constant("append" as const), times: fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 8 }) }),
  fc.record({ do: fc.constantFrom("forward" as const, "backward" as const), limit: fc.integer({ min: 1, max: 5 }) }),
);

test("paging both ways agrees with a sorted list, also when lines arrive between the pages", async () => {
  const runs = fc.asyncProperty(fc.boolean(), fc.array(step, { maxLength: 25 }), async (startFromHead, steps) => {
    const logs = await createFakeLogs();
    const all: Line[] = [{ timestamp: now + 10, message: "#0" }];
    await logs.append("/g", "s", all);
    let page = await get(logs, { startFromHead, limit: 1 });
    // The lines that the last page began and ended with.
    let [first, last]: [Line, Line] = [all[0]!, all[0]!];
    for (const { do: action, ...given } of steps) {
      if (action === "append") {
        const added = ("times" in given ? given.times : []).map((time, index) => ({
          timestamp: now + time,
          message: `#${all.length + index}`,
        }));
        all.push(...added);
        await logs.append("/g", "s", added);
        continue;
      }
      const limit = "limit" in given ? given.limit : 1;
      const order = sorted(all).map((line) => line.message);
      const isForward = action === "forward";
      const cut: number = isForward ? order.indexOf(last.message) + 1 : order.indexOf(first.message);
      const expected = isForward ? order.slice(cut, cut + limit) : order.slice(Math.max(0, cut - limit), cut);
      const nextToken = isForward ? page.nextForwardToken : page.nextBackwardToken;
      page = await get(logs, { nextToken, limit, startFromHead: isForward });
      expect(messages(page.events)).toEqual(expected);
      if (expected.length === 0) {
        expect(isForward ? page.nextForwardToken : page.nextBackwardToken).toBe(nextToken);
        return;
      }
      const byMessage = (message: string | undefined): Line => all.find((line) => line.message === message)!;
      [first, last] = [byMessage(expected[0]), byMessage(expected.at(-1))];
    }
  });
  await fc.assert(runs, { numRuns: 60 });
});
