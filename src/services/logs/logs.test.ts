import { expect, test } from "vitest";
import { createFakeLogs, scope, type FakeLogs } from "./logs.fake.ts";

const dayMs = 86_400_000;
const now = Date.UTC(2026, 0, 1);
const group = { logGroupName: "/g" };
const stream = { ...group, logStreamName: "s" };

async function withStream(): Promise<FakeLogs> {
  const logs = await createFakeLogs();
  await logs.call("CreateLogGroup", group);
  await logs.call("CreateLogStream", stream);
  return logs;
}

const at = (...times: number[]) => times.map((time) => ({ timestamp: now + time, message: `${time}` }));

const shown = async (logs: FakeLogs): Promise<(string | undefined)[] | undefined> =>
  (await logs.call("GetLogEvents", { ...stream, startFromHead: true })).events?.map((event) => event.message);

test("groups and streams are made once, in their account and region alone", async () => {
  const logs = await withStream();
  await expect(logs.call("CreateLogGroup", group)).rejects.toMatchObject({
    code: "ResourceAlreadyExistsException",
    message: "The specified log group already exists",
  });
  await expect(logs.call("CreateLogStream", stream)).rejects.toMatchObject({
    message: "The specified log stream already exists",
  });
  for (const as of [{ account: "111111111111" }, { region: "eu-west-1" }])
    expect(await logs.call("DescribeLogGroups", {}, as)).toEqual({ logGroups: [] });
});

test("a group is described with its ARN, size, retention and class", async () => {
  const logs = await withStream();
  await logs.call("PutLogEvents", { ...stream, logEvents: at(0) });
  await logs.call("PutRetentionPolicy", { ...group, retentionInDays: 7 });
  const { logGroups } = await logs.call("DescribeLogGroups", { logGroupNamePrefix: "/" });
  expect(logGroups).toEqual([
    {
      logGroupName: "/g",
      creationTime: now,
      retentionInDays: 7,
      metricFilterCount: 0,
      arn: "arn:aws:logs:us-west-2:000000000000:log-group:/g:*",
      logGroupArn: "arn:aws:logs:us-west-2:000000000000:log-group:/g",
      storedBytes: 27,
      logGroupClass: "STANDARD",
      deletionProtectionEnabled: false,
    },
  ]);
});

test("groups are listed by name in pages, by prefix or by a part of the name", async () => {
  const logs = await createFakeLogs();
  for (const name of ["/b/x", "/a/x", "/a/Y"]) await logs.call("CreateLogGroup", { logGroupName: name });
  const first = await logs.call("DescribeLogGroups", { limit: 2 });
  await logs.call("CreateLogGroup", { logGroupName: "/0" });
  const second = await logs.call("DescribeLogGroups", { limit: 2, nextToken: first.nextToken });
  const names = [...(first.logGroups ?? []), ...(second.logGroups ?? [])].map((found) => found.logGroupName);
  expect(names).toEqual(["/a/Y", "/a/x", "/b/x"]);
  expect(second.nextToken).toBeUndefined();
  const { logGroups } = await logs.call("DescribeLogGroups", { logGroupNamePattern: "y" });
  expect(logGroups).toEqual([]);
  expect((await logs.call("DescribeLogGroups", { logGroupNamePrefix: "/a/" })).logGroups).toHaveLength(2);
});

test("streams are listed by name or by their last line, in pages that survive new streams", async () => {
  const logs = await createFakeLogs();
  await logs.append("/g", "job/algo-2", at(5, 1));
  await logs.append("/g", "job/algo-1", at(3));
  await logs.append("/g", "other", at(9));
  const list = async (input: object) => {
    const { logStreams } = await logs.call("DescribeLogStreams", { ...group, ...input });
    return logStreams?.map((found) => found.logStreamName);
  };
  expect(await list({ logStreamNamePrefix: "job/", orderBy: "LogStreamName", limit: 2 })).toEqual([
    "job/algo-1",
    "job/algo-2",
  ]);
  expect(await list({ orderBy: "LastEventTime", descending: true })).toEqual(["other", "job/algo-2", "job/algo-1"]);
  expect(await list({ descending: true, limit: 1 })).toEqual(["other"]);
  const first = await logs.call("DescribeLogStreams", { ...group, orderBy: "LastEventTime", limit: 1 });
  await logs.append("/g", "a new one", at(0));
  expect(await list({ orderBy: "LastEventTime", nextToken: first.nextToken })).toEqual(["job/algo-2", "other"]);
  await expect(list({ orderBy: "LastEventTime", logStreamNamePrefix: "job" })).rejects.toMatchObject({
    message: "Cannot order by LastEventTime with a logStreamNamePrefix.",
  });
});

test("a stream tells its first and last times once it has lines", async () => {
  const logs = await withStream();
  const describe = async () => (await logs.call("DescribeLogStreams", group)).logStreams?.[0];
  expect(await describe()).not.toHaveProperty("firstEventTimestamp");
  await logs.append("/g", "s", at(5, 2, 9));
  expect(await describe()).toMatchObject({
    firstEventTimestamp: now + 2,
    lastEventTimestamp: now + 9,
    lastIngestionTime: now,
    arn: "arn:aws:logs:us-west-2:000000000000:log-group:/g:log-stream:s",
  });
});

test("a batch must be in order, within a day and within a megabyte", async () => {
  const logs = await withStream();
  const put = (logEvents: readonly { timestamp: number; message: string }[]) =>
    logs.call("PutLogEvents", { ...stream, logEvents });
  await expect(put(at(1, 0))).rejects.toMatchObject({
    code: "InvalidParameterException",
    message: "Log events in a single PutLogEvents request must be in chronological order.",
  });
  await expect(put(at(-dayMs - 1, 0))).rejects.toMatchObject({
    message: "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
  });
  await expect(put([{ timestamp: now, message: "é".repeat(524_276) }])).rejects.toMatchObject({
    message: "Upload too large: 1048578 bytes exceeds limit of 1048576",
  });
  expect(await shown(logs)).toEqual([]);
});

test("lines that are too old or too new are left out and named", async () => {
  const logs = await withStream();
  const hourMs = 3_600_000;
  const old = await logs.call("PutLogEvents", { ...stream, logEvents: at(-14 * dayMs - 1, -14 * dayMs) });
  expect(old.rejectedLogEventsInfo).toEqual({ tooOldLogEventEndIndex: 1 });
  const ahead = await logs.call("PutLogEvents", { ...stream, logEvents: at(0, 2 * hourMs, 2 * hourMs + 1) });
  expect(ahead.rejectedLogEventsInfo).toEqual({ tooNewLogEventStartIndex: 2 });
  await logs.call("PutRetentionPolicy", { ...group, retentionInDays: 1 });
  const expired = await logs.call("PutLogEvents", { ...stream, logEvents: at(-dayMs - 5, -dayMs + 5) });
  expect(expired.rejectedLogEventsInfo).toEqual({ expiredLogEventEndIndex: 1 });
  expect(expired.nextSequenceToken).toMatch(/^\d{56}$/);
  expect(await shown(logs)).toEqual([`${-dayMs + 5}`, "0", `${2 * hourMs}`]);
});

test("lines past their retention are hidden at once and removed by the sweep", async () => {
  const logs = await withStream();
  await logs.append("/g", "s", [...at(-3 * dayMs, -2 * dayMs), { timestamp: now, message: "é" }]);
  await logs.call("PutRetentionPolicy", { ...group, retentionInDays: 1 });
  expect(await shown(logs)).toEqual(["é"]);
  const { events } = await logs.call("FilterLogEvents", group);
  expect(events).toHaveLength(1);
  await logs.sweep();
  await logs.call("DeleteRetentionPolicy", group);
  expect(await shown(logs)).toEqual(["é"]);
  const [described] = (await logs.call("DescribeLogStreams", group)).logStreams ?? [];
  expect(described).toMatchObject({ firstEventTimestamp: now, lastEventTimestamp: now });
  expect((await logs.call("DescribeLogGroups", {})).logGroups?.[0]?.storedBytes).toBe(28);
  await expect(logs.call("PutRetentionPolicy", { ...group, retentionInDays: 2 })).rejects.toMatchObject({
    code: "InvalidParameterException",
  });
});

test("a deleted group is gone at once, a new one of its name is empty, and the sweep leaves no line behind", async () => {
  const logs = await withStream();
  const many = Array.from({ length: 5_001 }, (_, index) => ({ timestamp: now, message: `${index}` }));
  await logs.append("/g", "s", many);
  await logs.call("DeleteLogGroup", group);
  await expect(logs.call("DescribeLogStreams", group)).rejects.toMatchObject({ code: "ResourceNotFoundException" });
  await logs.append("/g", "s", at(1));
  await logs.sweep();
  expect(await shown(logs)).toEqual(["1"]);
  const { lines } = await logs.store.read
    .selectFrom("log_events")
    .select((eb) => eb.fn.countAll<number>().as("lines"))
    .executeTakeFirstOrThrow();
  expect(lines).toBe(1);
});

test("lines are stored with the caller's transaction or not at all", async () => {
  const logs = await createFakeLogs();
  const failing = logs.store.write(async (tx) => {
    await logs.lines.append(tx, scope, "/g", "s", at(0));
    throw new Error("the cursor could not be stored");
  });
  await expect(failing).rejects.toThrow("the cursor could not be stored");
  expect(await logs.call("DescribeLogGroups", {})).toEqual({ logGroups: [] });
});

test("hundreds of lines of one time keep their order", async () => {
  const logs = await createFakeLogs();
  const many = Array.from({ length: 345 }, (_, index) => ({ timestamp: now, message: `${index}` }));
  await logs.append("/g", "s", many.slice(0, 123));
  await logs.append("/g", "s", many.slice(123));
  expect(await shown(logs)).toEqual(many.map((line) => line.message));
});

test("tags are put, listed and removed, by ARN and by name", async () => {
  const logs = await createFakeLogs();
  await logs.call("CreateLogGroup", { ...group, tags: { a: "1" } });
  const resourceArn = "arn:aws:logs:us-west-2:000000000000:log-group:/g";
  await logs.call("TagResource", { resourceArn, tags: { b: "2", a: "3" } });
  expect(await logs.call("ListTagsForResource", { resourceArn: `${resourceArn}:*` })).toEqual({
    tags: { a: "3", b: "2" },
  });
  await logs.call("UntagResource", { resourceArn, tagKeys: ["a"] });
  await logs.call("TagLogGroup", { ...group, tags: { c: "4" } });
  expect(await logs.call("ListTagsLogGroup", group)).toEqual({ tags: { b: "2", c: "4" } });
  const tags = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, "v"]));
  await expect(logs.call("TagResource", { resourceArn, tags })).rejects.toMatchObject({
    code: "TooManyTagsException",
  });
});
