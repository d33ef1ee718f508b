// Alarms from request to action, with the engine that carries their reconciler and a clock that is moved by hand.
import { expect, onTestFinished, test } from "vitest";
import { openTestStore } from "../../../database/store.fake.ts";
import { createEngine } from "../../../engine/engine.ts";
import { FakeClock } from "../../../lib/clock.fake.ts";
import { silentLog } from "../../../lib/log.ts";
import { seededRandom } from "../../../lib/random.ts";
import type { CloudwatchOperations, PutMetricAlarmInput } from "../../../models/generated/cloudwatch.ts";
import { requestContext } from "../../request-context.fake.ts";
import { createCloudWatch } from "../index.ts";

const scope = { account: "000000000000", region: "us-west-2" };
const topic = "arn:aws:sns:us-west-2:000000000000:topic";
type Input<Name extends keyof CloudwatchOperations> = CloudwatchOperations[Name]["input"];
type Output<Name extends keyof CloudwatchOperations> = Exclude<CloudwatchOperations[Name]["output"], void>;

interface Sent {
  readonly destination: string;
  readonly subject: string;
  readonly body: Record<string, unknown>;
}

async function world() {
  const clock = new FakeClock();
  const store = await openTestStore({ clock });
  onTestFinished(() => store.close());
  const random = seededRandom(7);
  const sent: Sent[] = [];
  const cloudwatch = createCloudWatch({
    store,
    clock,
    random,
    announce: async (_, message) => {
      if (message.destination !== topic) return false;
      sent.push({ ...message, body: message.body as Record<string, unknown> });
      return true;
    },
  });
  const engine = createEngine({ store, clock, random, log: silentLog, reconcilers: cloudwatch.reconcilers });
  const settle = async (): Promise<void> => {
    while ((await engine.runDue()) > 0);
  };
  const call = async <Name extends keyof CloudwatchOperations>(
    name: Name,
    input: Input<Name>,
    account = scope.account,
  ) => {
    const request = { service: "cloudwatch", operation: name, ...scope, account, store, clock, random } as const;
    return (await cloudwatch.service.handle(name, input, requestContext(request))) as Output<typeof name>;
  };
  return {
    clock,
    sent,
    call,
    settle,
    state: async (): Promise<string | undefined> =>
      (await call("DescribeAlarms", { AlarmNames: ["a"] })).MetricAlarms?.[0]?.StateValue,
  };
}

const alarm: PutMetricAlarmInput = {
  AlarmName: "a",
  Namespace: "app",
  MetricName: "m",
  Statistic: "Average",
  Period: 60,
  EvaluationPeriods: 1,
  Threshold: 5,
  ComparisonOperator: "GreaterThanThreshold",
  AlarmActions: [topic, "arn:aws:sns:us-west-2:000000000000:nobody"],
  OKActions: [topic],
};

test("an alarm goes from no data to ALARM to OK, writes its history and sends its actions, once each", async () => {
  const { call, settle, clock, sent, state } = await world();
  await call("PutMetricAlarm", alarm);
  await settle();
  expect(await state()).toBe("INSUFFICIENT_DATA");
  for (const value of [9, 9, 1]) {
    await call("PutMetricData", { Namespace: "app", MetricData: [{ MetricName: "m", Value: value }] });
    await clock.advance(60_000);
    await settle();
    await clock.advance(2_000);
    await settle();
    await clock.advance(58_000);
    await settle();
  }
  expect(await state()).toBe("OK");
  expect(
    sent.map(({ destination, subject, body }) => [destination, subject, body["OldStateValue"], body["NewStateValue"]]),
  ).toEqual([
    [topic, "arn:aws:cloudwatch:us-west-2:000000000000:alarm:a", "INSUFFICIENT_DATA", "ALARM"],
    [topic, "arn:aws:cloudwatch:us-west-2:000000000000:alarm:a", "ALARM", "OK"],
  ]);
  const { AlarmHistoryItems } = await call("DescribeAlarmHistory", { AlarmName: "a", ScanBy: "TimestampAscending" });
  expect(AlarmHistoryItems?.map(({ HistoryItemType, HistorySummary }) => [HistoryItemType, HistorySummary])).toEqual([
    ["ConfigurationUpdate", 'Alarm "a" created'],
    ["StateUpdate", "Alarm updated from INSUFFICIENT_DATA to ALARM"],
    ["Action", `Successfully executed action ${topic}`],
    ["Action", "Failed to execute action arn:aws:sns:us-west-2:000000000000:nobody: no webhook is set for it"],
    ["StateUpdate", "Alarm updated from ALARM to OK"],
    ["Action", `Successfully executed action ${topic}`],
  ]);
});

test("an alarm on an expression is judged by what comes out of it", async () => {
  const { call, settle, clock, state } = await world();
  const { Namespace, MetricName, Statistic, Period, ...rest } = alarm;
  const Metrics = [
    { Id: "m1", MetricStat: { Metric: { Namespace, MetricName }, Period: 60, Stat: "Sum" }, ReturnData: false },
    { Id: "e1", Expression: "m1 / 10", Label: "tenth" },
  ];
  expect([Statistic, Period]).toEqual(["Average", 60]);
  await call("PutMetricAlarm", { ...rest, Metrics });
  await call("PutMetricData", { Namespace: "app", MetricData: [{ MetricName: "m", Values: [30, 31] }] });
  await clock.advance(62_000);
  await settle();
  expect(await state()).toBe("ALARM");
});

test("a state set by hand holds until the next look, and acts", async () => {
  const { call, settle, sent, state, clock } = await world();
  await call("PutMetricAlarm", { ...alarm, TreatMissingData: "notBreaching" });
  await settle();
  expect(await state()).toBe("OK");
  await call("SetAlarmState", { AlarmName: "a", StateValue: "ALARM", StateReason: "a test" });
  expect(await state()).toBe("ALARM");
  await settle();
  expect(sent.at(-1)?.body).toMatchObject({ NewStateValue: "ALARM", NewStateReason: "a test", OldStateValue: "OK" });
  await clock.advance(62_000);
  await settle();
  expect(await state()).toBe("OK");
});

test("disabled actions stay silent until they are enabled again", async () => {
  const { call, settle, sent } = await world();
  await call("PutMetricAlarm", alarm);
  await call("DisableAlarmActions", { AlarmNames: ["a", "nobody"] });
  await call("SetAlarmState", { AlarmName: "a", StateValue: "ALARM", StateReason: "x" });
  await settle();
  expect(sent).toEqual([]);
  await call("EnableAlarmActions", { AlarmNames: ["a"] });
  await call("SetAlarmState", { AlarmName: "a", StateValue: "OK", StateReason: "x" });
  await settle();
  expect(sent).toHaveLength(1);
});

test("a new configuration keeps the state; deletion takes all or none; another account sees nothing", async () => {
  const { call, settle, state } = await world();
  await call("PutMetricAlarm", { ...alarm, Tags: [{ Key: "team", Value: "red" }] });
  await call("SetAlarmState", { AlarmName: "a", StateValue: "ALARM", StateReason: "x" });
  await settle();
  await call("PutMetricAlarm", { ...alarm, Threshold: 7, AlarmDescription: "new" });
  const { MetricAlarms } = await call("DescribeAlarms", {});
  expect(MetricAlarms).toMatchObject([{ Threshold: 7, AlarmDescription: "new", StateValue: "ALARM" }]);
  expect((await call("DescribeAlarms", {}, "111111111111")).MetricAlarms).toEqual([]);
  await expect(call("DeleteAlarms", { AlarmNames: ["a", "nobody"] })).rejects.toMatchObject({
    code: "ResourceNotFound",
  });
  expect(await state()).toBe("ALARM");
  await call("DeleteAlarms", { AlarmNames: ["a"] });
  expect(await state()).toBeUndefined();
});

test("alarms are found by prefix, state, action and metric, page by page", async () => {
  const { call } = await world();
  for (const AlarmName of ["b1", "a1", "a2", "a3"]) await call("PutMetricAlarm", { ...alarm, AlarmName });
  await call("PutMetricAlarm", { ...alarm, AlarmName: "other", MetricName: "n", AlarmActions: [], OKActions: [] });
  const names = async (input: Input<"DescribeAlarms">): Promise<(string | undefined)[]> =>
    (await call("DescribeAlarms", input)).MetricAlarms?.map(({ AlarmName }) => AlarmName) ?? [];
  expect(await names({ AlarmNamePrefix: "a" })).toEqual(["a1", "a2", "a3"]);
  expect(await names({ ActionPrefix: "arn:aws:sns" })).toEqual(["a1", "a2", "a3", "b1"]);
  expect(await names({ StateValue: "ALARM" })).toEqual([]);
  expect(await names({ AlarmTypes: ["CompositeAlarm"] })).toEqual([]);
  const first = await call("DescribeAlarms", { MaxRecords: 3 });
  expect(first.MetricAlarms?.map(({ AlarmName }) => AlarmName)).toEqual(["a1", "a2", "a3"]);
  expect(await names({ MaxRecords: 3, NextToken: first.NextToken })).toEqual(["b1", "other"]);
  const ofMetric = await call("DescribeAlarmsForMetric", { Namespace: "app", MetricName: "n" });
  expect(ofMetric.MetricAlarms?.map(({ AlarmName }) => AlarmName)).toEqual(["other"]);
  await expect(call("DescribeAlarms", { NextToken: "x" })).rejects.toMatchObject({ code: "InvalidNextToken" });
});

test("tags come and go", async () => {
  const { call } = await world();
  await call("PutMetricAlarm", { ...alarm, Tags: [{ Key: "team", Value: "red" }] });
  const ResourceARN = "arn:aws:cloudwatch:us-west-2:000000000000:alarm:a";
  await call("TagResource", {
    ResourceARN,
    Tags: [
      { Key: "team", Value: "blue" },
      { Key: "x", Value: "" },
    ],
  });
  expect((await call("ListTagsForResource", { ResourceARN })).Tags).toEqual([
    { Key: "team", Value: "blue" },
    { Key: "x", Value: "" },
  ]);
  await call("UntagResource", { ResourceARN, TagKeys: ["team"] });
  expect((await call("ListTagsForResource", { ResourceARN })).Tags).toEqual([{ Key: "x", Value: "" }]);
  await expect(call("ListTagsForResource", { ResourceARN: `${ResourceARN}b` })).rejects.toMatchObject({
    code: "ResourceNotFoundException",
  });
});

test.each<[Partial<PutMetricAlarmInput>, string]>([
  [{ Threshold: undefined }, "Threshold is required"],
  [{ ComparisonOperator: "GreaterThanUpperThreshold" }, "anomaly detection"],
  [{ DatapointsToAlarm: 2 }, "DatapointsToAlarm must not be greater"],
  [{ Period: 61 }, "Period must be"],
  [{ EvaluationPeriods: 1_441 }, "more than a day"],
  [{ Statistic: undefined }, "Exactly one of Statistic"],
  [{ TreatMissingData: "maybe" }, "treatMissingData"],
  [{ Metrics: [{ Id: "e", Expression: "1" }] }, "Exactly one of metric name and metrics"],
])("PutMetricAlarm refuses %j", async (change, message) => {
  const { call } = await world();
  await expect(call("PutMetricAlarm", { ...alarm, ...change })).rejects.toMatchObject({
    code: "ValidationError",
    message: expect.stringContaining(message),
  });
});

test("history is kept for a month, in pages", async () => {
  const { call, clock } = await world();
  for (const Threshold of [1, 2, 3, 4]) {
    await call("PutMetricAlarm", { ...alarm, Threshold });
    await clock.advance(1_000);
  }
  const first = await call("DescribeAlarmHistory", { MaxRecords: 3 });
  expect(first.AlarmHistoryItems?.map(({ HistorySummary }) => HistorySummary)).toEqual(
    Array.from({ length: 3 }, () => 'Alarm "a" updated'),
  );
  const second = await call("DescribeAlarmHistory", { MaxRecords: 3, NextToken: first.NextToken });
  expect(second.AlarmHistoryItems?.map(({ HistorySummary }) => HistorySummary)).toEqual(['Alarm "a" created']);
  expect(second.NextToken).toBeUndefined();
});
