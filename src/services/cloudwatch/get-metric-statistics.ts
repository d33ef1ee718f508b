import type { Datapoint, GetMetricStatisticsInput } from "../../models/generated/cloudwatch.ts";
import { readBuckets, statisticIn, type Bucket } from "./buckets.ts";
import { operation } from "./context.ts";
import { invalidCombination, invalidValue, missingParameter } from "./errors.ts";
import { isPeriod, roundedStart } from "./periods.ts";
import { findSeries, textOfDimensions } from "./series.ts";
import { parseStatistic, type Statistic } from "./statistic.ts";

const maxDatapoints = 1_440;

/** One datapoint per period and unit, in order of time. */
export const getMetricStatistics = operation("GetMetricStatistics", async (input, ctx) => {
  checkTimes(input);
  const statistics = statisticsOf(input);
  const metric = {
    namespace: input.Namespace,
    name: input.MetricName,
    dimensions: textOfDimensions(input.Dimensions),
  };
  const series = await findSeries(ctx.store.read, ctx, metric);
  if (!series) return { Label: input.MetricName, Datapoints: [] };
  const range = {
    seriesId: series.id,
    from: roundedStart(input.StartTime, input.Period, ctx.clock.now()),
    before: input.EndTime.getTime(),
    periodMs: input.Period * 1_000,
    unit: input.Unit,
  };
  const needsValues = [...statistics.values()].some(({ needs }) => needs === "values");
  const buckets = await readBuckets(ctx.store.read, range, { needsValues, mixesUnits: false });
  return { Label: input.MetricName, Datapoints: buckets.map((bucket) => datapoint(bucket, input, statistics)) };
});

function checkTimes({ StartTime, EndTime, Period }: GetMetricStatisticsInput): void {
  if (!isPeriod(Period)) throw invalidValue("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.");
  const spanMs = EndTime.getTime() - StartTime.getTime();
  if (spanMs <= 0) throw invalidValue("The parameter StartTime must be less than the parameter EndTime.");
  const asked = Math.ceil(spanMs / (Period * 1_000));
  if (asked > maxDatapoints)
    throw invalidCombination(
      `You have requested up to ${asked.toLocaleString("en-US")} datapoints, which exceeds the limit of 1,440. ` +
        "You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
    );
}

function statisticsOf({ Statistics = [], ExtendedStatistics = [] }: GetMetricStatisticsInput): Map<string, Statistic> {
  if (Statistics.length === 0 && ExtendedStatistics.length === 0)
    throw missingParameter("At least one of the parameters Statistics and ExtendedStatistics must be specified.");
  const parsed = new Map<string, Statistic>();
  for (const name of [...Statistics, ...ExtendedStatistics]) {
    const statistic = parseStatistic(name);
    if (!statistic) throw invalidValue(`The value ${name} for parameter ExtendedStatistics is not supported.`);
    parsed.set(name, statistic);
  }
  return parsed;
}

function datapoint(
  bucket: Bucket,
  { Statistics = [], ExtendedStatistics = [] }: GetMetricStatisticsInput,
  statistics: ReadonlyMap<string, Statistic>,
): Datapoint {
  const valued = (names: readonly string[]): Record<string, number> =>
    Object.fromEntries(
      names.flatMap((name) => {
        const statistic = statistics.get(name);
        const value = statistic && statisticIn(bucket, statistic);
        return value === undefined ? [] : [[name, value]];
      }),
    );
  return {
    Timestamp: new Date(bucket.at),
    ...valued(Statistics),
    Unit: bucket.unit as NonNullable<Datapoint["Unit"]>,
    ...(ExtendedStatistics.length > 0 && { ExtendedStatistics: valued(ExtendedStatistics) }),
  };
}
