import { AwsError } from "../../lib/aws-error.ts";
import type { MetricDataResult } from "../../models/generated/cloudwatch.ts";
import { operation } from "./context.ts";
import { validationFailure } from "./errors.ts";
import type { Point } from "./math/time-series.ts";
import { answerQueries, checkQueries, type QueryResult } from "./metric-queries.ts";

const maxDatapoints = 100_800;

/** Where the next page goes on: in which result, behind which timestamp (ms since 1970). */
interface Cursor {
  readonly result: number;
  readonly behind: number | undefined;
}

export const getMetricData = operation("GetMetricData", async (input, ctx) => {
  if (input.StartTime >= input.EndTime)
    throw validationFailure("The parameter EndTime must be greater than StartTime.");
  const queries = checkQueries(input.MetricDataQueries, "MetricDataQueries");
  const cursor = cursorOf(input.NextToken);
  const all = await answerQueries(ctx.store.read, ctx, queries, { start: input.StartTime, end: input.EndTime });
  const isAscending = input.ScanBy === "TimestampAscending";
  const results: MetricDataResult[] = [];
  let room = input.MaxDatapoints ?? maxDatapoints;
  for (const [index, result] of [...all.entries()].slice(cursor.result)) {
    const behind = index === cursor.result ? cursor.behind : undefined;
    const points = shownPoints(result, isAscending, behind);
    const shown = points.slice(0, room);
    room -= shown.length;
    const isPartial = shown.length < points.length;
    results.push(resultOf(result, shown, isPartial));
    if (isPartial) {
      const last = shown.at(-1)?.at ?? behind;
      return { MetricDataResults: results, Messages: [], NextToken: tokenOf({ result: index, behind: last }) };
    }
  }
  return { MetricDataResults: results, Messages: [] };
});

/** Newest first unless ScanBy says otherwise. */
function shownPoints({ points }: QueryResult, isAscending: boolean, behind: number | undefined): readonly Point[] {
  const ordered = isAscending ? points : points.toReversed();
  return behind === undefined ? ordered : ordered.filter(({ at }) => (isAscending ? at > behind : at < behind));
}

const resultOf = ({ id, label }: QueryResult, points: readonly Point[], isPartial: boolean): MetricDataResult => ({
  Id: id,
  Label: label,
  Timestamps: points.map(({ at }) => new Date(at)),
  Values: points.map(({ value }) => value),
  StatusCode: isPartial ? "PartialData" : "Complete",
});

const tokenOf = ({ result, behind }: Cursor): string =>
  Buffer.from(JSON.stringify([result, behind ?? null])).toString("base64url");

function cursorOf(token: string | undefined): Cursor {
  if (token === undefined) return { result: 0, behind: undefined };
  const [, result, behind] = /^\[(\d{1,6}),(null|-?\d{1,15})\]$/.exec(Buffer.from(token, "base64url").toString()) ?? [];
  if (result === undefined) throw new AwsError("InvalidNextToken", "The next token specified is invalid.");
  return { result: Number(result), behind: behind === "null" ? undefined : Number(behind) };
}
