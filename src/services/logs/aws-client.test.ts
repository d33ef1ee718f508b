// AWS's own clients against Logs and CloudWatch on a real port: types, times and errors survive the wire.
import {
  CloudWatchClient,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  PutMetricDataCommand,
  paginateListMetrics,
} from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  GetLogEventsCommand,
  PutLogEventsCommand,
  paginateDescribeLogStreams,
  paginateFilterLogEvents,
} from "@aws-sdk/client-cloudwatch-logs";
import { expect, onTestFinished, test } from "vitest";
import { openTestStore } from "../../database/store.fake.ts";
import { startHttp } from "../../http/http.fake.ts";
import { systemClock } from "../../lib/clock.ts";
import { systemRandom } from "../../lib/random.ts";
import { createCloudWatch } from "../cloudwatch/index.ts";
import { createLogs } from "./index.ts";

/** What stands behind the request's own store, clock and random. */
async function ground() {
  const store = await openTestStore({ clock: systemClock });
  onTestFinished(() => store.close());
  return { store, clock: systemClock, random: systemRandom };
}

test("the client writes lines, reads them back, filters and pages", async () => {
  const { service } = createLogs(await ground());
  const http = await startHttp({ services: [service] });
  const client = new CloudWatchLogsClient(http.client);
  await client.send(new CreateLogGroupCommand({ logGroupName: "/g" }));
  for (const logStreamName of ["a", "b"])
    await client.send(new CreateLogStreamCommand({ logGroupName: "/g", logStreamName }));
  const timestamp = Date.now();
  const logEvents = ["één", "two", "three"].map((message, index) => ({ timestamp: timestamp + index, message }));
  await client.send(new PutLogEventsCommand({ logGroupName: "/g", logStreamName: "a", logEvents }));
  const page = await client.send(
    new GetLogEventsCommand({ logGroupName: "/g", logStreamName: "a", startFromHead: true, limit: 2 }),
  );
  expect(page.events?.map((event) => [event.timestamp, event.message])).toEqual([
    [timestamp, "één"],
    [timestamp + 1, "two"],
  ]);
  const streams: unknown[] = [];
  for await (const { logStreams } of paginateDescribeLogStreams({ client, pageSize: 1 }, { logGroupName: "/g" }))
    streams.push(...(logStreams ?? []).map((stream) => stream.logStreamName));
  expect(streams).toEqual(["a", "b"]);
  const found: unknown[] = [];
  const wanted = { logGroupName: "/g", filterPattern: "?two ?three" };
  for await (const { events } of paginateFilterLogEvents({ client, pageSize: 1 }, wanted))
    found.push(...(events ?? []).map((event) => event.message));
  expect(found).toEqual(["two", "three"]);
  await expect(
    client.send(new GetLogEventsCommand({ logGroupName: "/none", logStreamName: "a" })),
  ).rejects.toMatchObject({ name: "ResourceNotFoundException", message: "The specified log group does not exist." });
});

test("the client puts metrics and reads their statistics", async () => {
  const { service } = createCloudWatch(await ground());
  const http = await startHttp({ services: [service] });
  const client = new CloudWatchClient(http.client);
  const Timestamp = new Date(Math.floor(Date.now() / 60_000) * 60_000);
  const MetricData = [{ MetricName: "m", Timestamp, Values: [1, 2.5], Counts: [1, 3], Unit: "Seconds" as const }];
  await client.send(new PutMetricDataCommand({ Namespace: "app", MetricData }));
  const window = { StartTime: new Date(Timestamp.getTime() - 60_000), EndTime: new Date(Timestamp.getTime() + 60_000) };
  const { Datapoints } = await client.send(
    new GetMetricStatisticsCommand({
      Namespace: "app",
      MetricName: "m",
      Period: 60,
      ...window,
      Statistics: ["Average"],
      ExtendedStatistics: ["p90"],
    }),
  );
  expect(Datapoints).toEqual([{ Timestamp, Average: 2.125, Unit: "Seconds", ExtendedStatistics: { p90: 2.5 } }]);
  const Metric = { Namespace: "app", MetricName: "m" };
  const { MetricDataResults } = await client.send(
    new GetMetricDataCommand({
      ...window,
      MetricDataQueries: [{ Id: "q", MetricStat: { Metric, Period: 60, Stat: "Sum" } }],
    }),
  );
  expect(MetricDataResults).toMatchObject([
    { Id: "q", Timestamps: [Timestamp], Values: [8.5], StatusCode: "Complete" },
  ]);
  const names: unknown[] = [];
  for await (const { Metrics } of paginateListMetrics({ client }, { Namespace: "app" }))
    names.push(...(Metrics ?? []).map((metric) => metric.MetricName));
  expect(names).toEqual(["m"]);
  await expect(
    client.send(new PutMetricDataCommand({ Namespace: "app", MetricData: [{ MetricName: "m" }] })),
  ).rejects.toMatchObject({ name: "MissingRequiredParameterException" });
});
