import { expect, test } from "vitest";
import type {
  GetMetricDataInput,
  GetMetricStatisticsInput,
  MetricDataQuery,
  MetricDatum,
} from "../../models/generated/cloudwatch.ts";
import { createFakeCloudWatch, type FakeCloudWatch } from "./cloudwatch.fake.ts";

const now = Date.UTC(2026, 0, 1);
const minuteMs = 60_000;
const dayMs = 86_400_000;
const at = (ms: number): Date => new Date(now + ms);

const put = (cloudwatch: FakeCloudWatch, ...MetricData: Partial<MetricDatum>[]) =>
  cloudwatch.call("PutMetricData", {
    Namespace: "app",
    MetricData: MetricData.map((datum) => ({ MetricName: "m", Timestamp: at(0), ...datum })),
  });

const statistics = (cloudwatch: FakeCloudWatch, input: Partial<GetMetricStatisticsInput> = {}) =>
  cloudwatch.call("GetMetricStatistics", {
    Namespace: "app",
    MetricName: "m",
    StartTime: at(-5 * minuteMs),
    EndTime: at(5 * minuteMs),
    Period: 60,
    Statistics: ["Sum", "SampleCount", "Average", "Minimum", "Maximum"],
    ...input,
  });

const query = (Id: string, Stat: string, more: Partial<MetricDataQuery> = {}): MetricDataQuery => ({
  Id,
  MetricStat: { Metric: { Namespace: "app", MetricName: "m" }, Period: 60, Stat },
  ...more,
});

const data = (
  cloudwatch: FakeCloudWatch,
  MetricDataQueries: MetricDataQuery[],
  more: Partial<GetMetricDataInput> = {},
) =>
  cloudwatch.call("GetMetricData", {
    StartTime: at(-10 * minuteMs),
    EndTime: at(10 * minuteMs),
    MetricDataQueries,
    ...more,
  });

test("values of a period are summed up, by unit", async () => {
  const cloudwatch = await createFakeCloudWatch();
  await put(cloudwatch, { Value: 1 }, { Value: 4, Timestamp: at(59_999) }, { Value: 7, Timestamp: at(minuteMs) });
  await put(cloudwatch, { Values: [2, 3], Counts: [1, 9], Unit: "Count" });
  const { Label, Datapoints } = await statistics(cloudwatch);
  expect(Label).toBe("m");
  expect(Datapoints).toEqual([
    { Timestamp: at(0), Unit: "Count", Sum: 29, SampleCount: 10, Average: 2.9, Minimum: 2, Maximum: 3 },
    { Timestamp: at(0), Unit: "None", Sum: 5, SampleCount: 2, Average: 2.5, Minimum: 1, Maximum: 4 },
    { Timestamp: at(minuteMs), Unit: "None", Sum: 7, SampleCount: 1, Average: 7, Minimum: 7, Maximum: 7 },
  ]);
  expect((await statistics(cloudwatch, { Unit: "Count" })).Datapoints).toHaveLength(1);
});

test("the end of the time is excluded, and periods start at the start time's minute", async () => {
  const cloudwatch = await createFakeCloudWatch();
  await put(cloudwatch, { Value: 1, Timestamp: at(0) }, { Value: 2, Timestamp: at(3 * minuteMs) });
  const { Datapoints } = await statistics(cloudwatch, {
    StartTime: at(-minuteMs + 30_000),
    EndTime: at(3 * minuteMs),
    Period: 120,
  });
  expect(Datapoints?.map((point) => [point.Timestamp, point.Sum])).toEqual([[at(-minuteMs), 1]]);
});

test("percentiles come from values; a statistic set hides them, but not its totals", async () => {
  const cloudwatch = await createFakeCloudWatch();
  await put(cloudwatch, { Values: [1, 2, 3, 4] });
  const first = await statistics(cloudwatch, { Statistics: [], ExtendedStatistics: ["p50", "p99"] });
  expect(first.Datapoints).toEqual([{ Timestamp: at(0), Unit: "None", ExtendedStatistics: { p50: 2, p99: 4 } }]);
  await put(cloudwatch, { StatisticValues: { SampleCount: 2, Sum: 30, Minimum: 10, Maximum: 20 } });
  const second = await statistics(cloudwatch, { Statistics: ["Sum"], ExtendedStatistics: ["p50"] });
  expect(second.Datapoints).toEqual([{ Timestamp: at(0), Unit: "None", Sum: 40, ExtendedStatistics: {} }]);
});

test("dimensions name a metric in any order, and other sets are other metrics", async () => {
  const cloudwatch = await createFakeCloudWatch();
  const [a, b] = [
    { Name: "a", Value: "1" },
    { Name: "b", Value: "2" },
  ];
  await put(cloudwatch, { Value: 1, Dimensions: [b, a] });
  expect((await statistics(cloudwatch, { Dimensions: [a, b] })).Datapoints).toHaveLength(1);
  expect((await statistics(cloudwatch, { Dimensions: [a] })).Datapoints).toEqual([]);
  expect((await statistics(cloudwatch)).Datapoints).toEqual([]);
});

test.each<[string, Partial<MetricDatum>, string]>([
  ["no value", {}, "MissingRequiredParameterException"],
  ["two kinds of value", { Value: 1, Values: [1] }, "InvalidParameterCombinationException"],
  ["counts of another length", { Values: [1, 2], Counts: [1] }, "InvalidParameterCombinationException"],
  ["no number", { Value: Number.NaN }, "InvalidParameterValueException"],
  ["an endless value", { Value: Infinity }, "InvalidParameterValueException"],
  ["a time long ago", { Value: 1, Timestamp: at(-14 * dayMs - 1) }, "InvalidParameterValueException"],
  ["a time to come", { Value: 1, Timestamp: at(7_200_001) }, "InvalidParameterValueException"],
  [
    "an upside-down set",
    { StatisticValues: { SampleCount: 1, Sum: 1, Minimum: 2, Maximum: 1 } },
    "InvalidParameterCombinationException",
  ],
])("a datum with %s is refused, with all that came beside it", async (_, datum, code) => {
  const cloudwatch = await createFakeCloudWatch();
  await expect(put(cloudwatch, { Value: 5 }, datum)).rejects.toMatchObject({ code });
  expect((await statistics(cloudwatch)).Datapoints).toEqual([]);
});

test("AWS's own namespaces are for AWS's services, here the other rooms", async () => {
  const cloudwatch = await createFakeCloudWatch();
  const own = { Namespace: "AWS/SageMaker", MetricData: [{ MetricName: "m", Value: 1 }] };
  await expect(cloudwatch.call("PutMetricData", own)).rejects.toMatchObject({
    message: "The value AWS/ for parameter Namespace is invalid.",
  });
  const datum = { name: "m", dimensions: { E: "x" }, value: 2, unit: "Count", timestamp: now + 500 };
  await cloudwatch.put("AWS/SageMaker", [datum, { ...datum, value: 3 }]);
  const { Datapoints } = await statistics(cloudwatch, {
    Namespace: "AWS/SageMaker",
    Dimensions: [{ Name: "E", Value: "x" }],
    Statistics: ["Sum"],
  });
  expect(Datapoints).toEqual([{ Timestamp: at(0), Unit: "Count", Sum: 5 }]);
});

test("a request for too many datapoints, a wrong period and a time that runs backwards are refused", async () => {
  const cloudwatch = await createFakeCloudWatch();
  await expect(statistics(cloudwatch, { StartTime: at(-2 * dayMs), EndTime: at(0) })).rejects.toMatchObject({
    code: "InvalidParameterCombinationException",
    message: expect.stringContaining("You have requested up to 2,880 datapoints, which exceeds the limit of 1,440."),
  });
  await expect(statistics(cloudwatch, { Period: 61 })).rejects.toMatchObject({
    code: "InvalidParameterValueException",
  });
  await expect(statistics(cloudwatch, { EndTime: at(-5 * minuteMs) })).rejects.toMatchObject({
    message: "The parameter StartTime must be less than the parameter EndTime.",
  });
});

test("GetMetricData answers each query by its id, newest first unless asked otherwise", async () => {
  const cloudwatch = await createFakeCloudWatch();
  await put(cloudwatch, { Value: 1 }, { Value: 3, Unit: "Count" }, { Value: 5, Timestamp: at(minuteMs) });
  const { MetricDataResults } = await data(cloudwatch, [
    query("a", "Sum"),
    query("b", "p50", { Label: "median" }),
    query("hidden", "Sum", { ReturnData: false }),
  ]);
  expect(MetricDataResults).toEqual([
    { Id: "a", Label: "m", Timestamps: [at(minuteMs), at(0)], Values: [5, 4], StatusCode: "Complete" },
    { Id: "b", Label: "median", Timestamps: [at(minuteMs), at(0)], Values: [5, 1], StatusCode: "Complete" },
  ]);
  const ascending = await data(cloudwatch, [query("a", "Sum")], { ScanBy: "TimestampAscending" });
  expect(ascending.MetricDataResults?.[0]?.Values).toEqual([4, 5]);
});

test("GetMetricData's pages give each point once, also when newer ones arrive between them", async () => {
  const cloudwatch = await createFakeCloudWatch();
  const times = [0, 1, 2, 3].map((minute) => ({ Value: minute, Timestamp: at(minute * minuteMs) }));
  await put(cloudwatch, ...times);
  const found: Record<string, number[]> = { a: [], b: [] };
  let NextToken: string | undefined;
  do {
    const page = await data(cloudwatch, [query("a", "Sum"), query("b", "Maximum")], {
      MaxDatapoints: 3,
      ...(NextToken !== undefined && { NextToken }),
    });
    for (const { Id = "", Values = [], StatusCode } of page.MetricDataResults ?? []) {
      found[Id]?.push(...Values);
      if (Values.length > 0) expect(["Complete", "PartialData"]).toContain(StatusCode);
    }
    if (NextToken === undefined) await put(cloudwatch, { Value: 9, Timestamp: at(4 * minuteMs) });
    ({ NextToken } = page);
  } while (NextToken !== undefined);
  expect(found["a"]).toEqual([3, 2, 1, 0]);
  expect(found["b"]).toEqual([9, 3, 2, 1, 0]);
});

test.each<[string, MetricDataQuery[], string]>([
  ["an id in capitals", [query("A", "Sum")], "^[a-z][a-zA-Z0-9_]*$"],
  ["an id twice", [query("a", "Sum"), query("a", "Sum")], "are not unique"],
  ["an unknown statistic", [query("a", "median")], "Stat is invalid"],
  ["an expression about nobody", [{ Id: "a", Expression: "b * 2" }], "There is no query with the id b"],
  ["an expression that cannot be read", [{ Id: "a", Expression: "1 +" }], "Unexpected end of the expression"],
  ["an expression that is one number", [query("b", "Sum"), { Id: "a", Expression: "SUM(b)" }], "must be a time series"],
  [
    "expressions that need each other",
    [
      { Id: "a", Expression: "b" },
      { Id: "b", Expression: "a" },
    ],
    "refers to itself",
  ],
  ["nothing to compute", [{ Id: "a" }], "Either Expression or MetricStat"],
])("GetMetricData refuses %s", async (_, queries, message) => {
  const cloudwatch = await createFakeCloudWatch();
  await expect(data(cloudwatch, queries)).rejects.toMatchObject({
    code: "ValidationError",
    message: expect.stringContaining(message),
  });
});

test("expressions work on other queries, returned or not, and on each other", async () => {
  const cloudwatch = await createFakeCloudWatch();
  await put(cloudwatch, { Values: [2, 4] }, { Value: 9, Timestamp: at(2 * minuteMs) });
  const { MetricDataResults } = await data(
    cloudwatch,
    [
      query("sum", "Sum", { ReturnData: false }),
      query("count", "SampleCount", { ReturnData: false }),
      { Id: "mean", Expression: "sum / count", Label: "mean", ReturnData: false },
      { Id: "twice", Expression: "mean * 2" },
      { Id: "filled", Expression: "FILL(sum, 0)", Period: 60, Label: "with zeros" },
      { Id: "both", Expression: "METRICS() * 1", Label: "of" },
    ],
    { StartTime: at(0), EndTime: at(3 * minuteMs), ScanBy: "TimestampAscending" },
  );
  expect(MetricDataResults?.map(({ Id, Label, Values }) => [Id, Label, Values])).toEqual([
    ["twice", "twice", [6, 18]],
    ["filled", "with zeros", [6, 0, 9]],
    ["both", "of m", [6, 9]],
    ["both", "of m", [2, 1]],
  ]);
});

test("expressions can neither grow without end, nor hold the server up, nor overflow its stack", async () => {
  const cloudwatch = await createFakeCloudWatch();
  const many = (name: string): string => `[${Array.from({ length: 300 }, () => name).join(",")}]`;
  const growing = [
    { Id: "t", Expression: "TIME_SERIES(1)", ReturnData: false },
    { Id: "a", Expression: many("t"), ReturnData: false },
    { Id: "b", Expression: many("a"), ReturnData: false },
    { Id: "c", Expression: "METRIC_COUNT(b) * t" },
  ];
  await expect(data(cloudwatch, growing)).rejects.toMatchObject({
    code: "ValidationError",
    message: expect.stringContaining("at most 500 time series"),
  });
  const chain = Array.from({ length: 500 }, (_, at) => ({
    Id: `e${at}`,
    Expression: at === 0 ? "TIME_SERIES(1)" : `e${at - 1}${"+1".repeat(900)}`,
    ReturnData: at === 499,
  }));
  const { MetricDataResults } = await data(cloudwatch, chain);
  expect(MetricDataResults?.[0]?.Values?.[0]).toBe(1 + 499 * 900);
  const dense = Array.from({ length: 500 }, (_, at) => ({
    Id: `e${at}`,
    Expression:
      at === 0
        ? "TIME_SERIES(1)"
        : Array.from({ length: Math.min(at, 300) }, (__, back) => `e${at - 1 - back}`).join("+"),
    ReturnData: at === 0,
  }));
  const startedAt = performance.now();
  await data(cloudwatch, dense);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  const tooMany = Array.from({ length: 501 }, (_, at) => ({ Id: `e${at}`, Expression: "TIME_SERIES(1)" }));
  await expect(data(cloudwatch, tooMany)).rejects.toMatchObject({ code: "ValidationError" });
});

test("metrics are listed by namespace, name and dimensions, in pages of 500, for two weeks after their last data", async () => {
  const cloudwatch = await createFakeCloudWatch();
  const many = Array.from({ length: 501 }, (_, index) => ({
    name: "n",
    dimensions: { Host: `h${index}`, ...(index === 7 && { Kind: "odd" }) },
    value: 1,
    unit: "None",
    timestamp: now,
  }));
  await cloudwatch.put("ns", many);
  const first = await cloudwatch.call("ListMetrics", { Namespace: "ns" });
  const second = await cloudwatch.call("ListMetrics", { Namespace: "ns", NextToken: first.NextToken });
  expect([first.Metrics?.length, second.Metrics?.length, second.NextToken]).toEqual([500, 1, undefined]);
  const hosts = [...(first.Metrics ?? []), ...(second.Metrics ?? [])].map((metric) => metric.Dimensions?.[0]?.Value);
  expect(new Set(hosts).size).toBe(501);
  const { Metrics } = await cloudwatch.call("ListMetrics", { Dimensions: [{ Name: "Kind" }] });
  expect(Metrics).toEqual([
    {
      Namespace: "ns",
      MetricName: "n",
      Dimensions: [
        { Name: "Host", Value: "h7" },
        { Name: "Kind", Value: "odd" },
      ],
    },
  ]);
  expect(await cloudwatch.call("ListMetrics", {}, { account: "111111111111" })).toEqual({ Metrics: [] });
  await cloudwatch.clock.advance(3 * 60 * minuteMs + 1);
  expect(await cloudwatch.call("ListMetrics", { RecentlyActive: "PT3H" })).toEqual({ Metrics: [] });
  await cloudwatch.clock.advance(14 * dayMs);
  expect(await cloudwatch.call("ListMetrics", {})).toEqual({ Metrics: [] });
});

test("points of more than 455 days are swept, and their series with them", async () => {
  const cloudwatch = await createFakeCloudWatch();
  await put(cloudwatch, { Value: 1 });
  await cloudwatch.clock.advance(454 * dayMs);
  await cloudwatch.sweep();
  expect(await cloudwatch.store.read.selectFrom("metric_points").selectAll().execute()).toHaveLength(1);
  await cloudwatch.clock.advance(2 * dayMs);
  await cloudwatch.sweep();
  expect(await cloudwatch.store.read.selectFrom("metric_points").selectAll().execute()).toEqual([]);
  expect(await cloudwatch.store.read.selectFrom("metric_series").selectAll().execute()).toEqual([]);
});
