import { AwsError } from "../../lib/aws-error.ts";
import type {
  GetMetricDataInput,
  MetricDataQuery,
  MetricDataResult,
  MetricStat,
} from "../../models/generated/cloudwatch.ts";
import type { RequestContext } from "../service.ts";
import { readBuckets, statisticIn } from "./buckets.ts";
import { operation } from "./context.ts";
import { validationFailure } from "./errors.ts";
import { alignedStart, isPeriod } from "./periods.ts";
import { findSeries, textOfDimensions } from "./series.ts";
import { parseStatistic, type Statistic } from "./statistic.ts";

const maxDatapoints = 100_800;

interface Query {
  readonly id: string;
  readonly label: string;
  readonly stat: MetricStat;
  readonly statistic: Statistic;
}

/** Where the next page goes on: in which query, behind which timestamp (ms since 1970). */
interface Cursor {
  readonly query: number;
  readonly behind: number | undefined;
}

export const getMetricData = operation("GetMetricData", async (input, ctx) => {
  if (input.StartTime >= input.EndTime)
    throw validationFailure("The parameter EndTime must be greater than StartTime.");
  const queries = queriesOf(input.MetricDataQueries);
  const cursor = cursorOf(input.NextToken);
  const results: MetricDataResult[] = [];
  let room = input.MaxDatapoints ?? maxDatapoints;
  for (const [index, query] of [...queries.entries()].slice(cursor.query)) {
    const points = await pointsOf(query, input, ctx, index === cursor.query ? cursor.behind : undefined);
    const shown = points.slice(0, room);
    room -= shown.length;
    const isPartial = shown.length < points.length;
    results.push(resultOf(query, shown, isPartial));
    if (isPartial) {
      const behind = shown.at(-1)?.at ?? (index === cursor.query ? cursor.behind : undefined);
      return { MetricDataResults: results, Messages: [], NextToken: tokenOf({ query: index, behind }) };
    }
  }
  return { MetricDataResults: results, Messages: [] };
});

function queriesOf(given: readonly MetricDataQuery[]): Query[] {
  const ids = new Set(given.map(({ Id }) => Id));
  if (ids.size < given.length)
    throw validationFailure("The values for parameter id in MetricDataQueries are not unique.");
  return given.flatMap((query, index) => {
    const parsed = parseQuery(query, `MetricDataQueries.member.${index + 1}`);
    return query.ReturnData === false ? [] : [parsed];
  });
}

function parseQuery({ Id, Label, MetricStat, Expression }: MetricDataQuery, path: string): Query {
  if (!/^[a-z]\w*$/.test(Id))
    throw validationFailure(
      `The value ${Id} for parameter ${path}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.`,
    );
  if ((MetricStat === undefined) === (Expression === undefined))
    throw validationFailure(`Either Expression or MetricStat must be specified in ${path}, but not both.`);
  if (!MetricStat) throw validationFailure(`Expressions (${path}.Expression) are not implemented by Salvia yet.`);
  if (!isPeriod(MetricStat.Period))
    throw validationFailure(`Period in ${path}.MetricStat must be 1, 5, 10, 20, 30 or a multiple of 60.`);
  const { Namespace, MetricName } = MetricStat.Metric;
  if (Namespace === undefined || MetricName === undefined)
    throw validationFailure(`${path}.MetricStat.Metric must have a Namespace and a MetricName.`);
  const statistic = parseStatistic(MetricStat.Stat);
  if (!statistic)
    throw validationFailure(`The value ${MetricStat.Stat} for parameter ${path}.MetricStat.Stat is invalid.`);
  return { id: Id, label: Label ?? MetricName, stat: MetricStat, statistic };
}

interface ShownPoint {
  readonly at: number;
  readonly value: number;
}

/** Newest first unless ScanBy says otherwise. */
async function pointsOf(
  { stat, statistic }: Query,
  { StartTime, EndTime, ScanBy }: GetMetricDataInput,
  ctx: RequestContext,
  behind: number | undefined,
): Promise<ShownPoint[]> {
  const { Namespace = "", MetricName = "", Dimensions } = stat.Metric;
  const metric = { namespace: Namespace, name: MetricName, dimensions: textOfDimensions(Dimensions) };
  const series = await findSeries(ctx.store.read, ctx, metric);
  if (!series) return [];
  const range = {
    seriesId: series.id,
    from: alignedStart(StartTime, stat.Period),
    before: EndTime.getTime(),
    periodMs: stat.Period * 1_000,
    unit: stat.Unit,
  };
  const needs = { needsValues: statistic.needs === "values", mixesUnits: true };
  const isAscending = ScanBy === "TimestampAscending";
  const points = (await readBuckets(ctx.store.read, range, needs)).flatMap((bucket) => {
    const value = statisticIn(bucket, statistic);
    const isSeen = behind !== undefined && (isAscending ? bucket.at <= behind : bucket.at >= behind);
    return value === undefined || isSeen ? [] : [{ at: bucket.at, value }];
  });
  return isAscending ? points : points.reverse();
}

const resultOf = ({ id, label }: Query, points: readonly ShownPoint[], isPartial: boolean): MetricDataResult => ({
  Id: id,
  Label: label,
  Timestamps: points.map(({ at }) => new Date(at)),
  Values: points.map(({ value }) => value),
  StatusCode: isPartial ? "PartialData" : "Complete",
});

const tokenOf = ({ query, behind }: Cursor): string =>
  Buffer.from(JSON.stringify([query, behind ?? null])).toString("base64url");

function cursorOf(token: string | undefined): Cursor {
  if (token === undefined) return { query: 0, behind: undefined };
  const [, query, behind] = /^\[(\d{1,4}),(null|-?\d{1,15})\]$/.exec(Buffer.from(token, "base64url").toString()) ?? [];
  if (query === undefined) throw new AwsError("InvalidNextToken", "The next token specified is invalid.");
  return { query: Number(query), behind: behind === "null" ? undefined : Number(behind) };
}
