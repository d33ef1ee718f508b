// Points of a series by period: totals from the database itself, values only where a statistic needs them.
import { sql } from "kysely";
import type { Reader } from "../../database/store.ts";
import type { Statistic, Totals, Weighted } from "./statistic.ts";

export interface BucketRange {
  readonly seriesId: number;
  /** ms since 1970; buckets start at `from` and every period later. */
  readonly from: number;
  /** Exclusive. */
  readonly before: number;
  readonly periodMs: number;
  /** Only points of this unit; undefined: of every unit. */
  readonly unit: string | undefined;
}

export interface Bucket {
  /** ms since 1970 */
  readonly at: number;
  readonly unit: string;
  readonly totals: Totals;
  /** Undefined when not asked for, or when statistic sets hide the values (CloudWatch gives no percentiles then). */
  readonly values: Weighted | undefined;
}

/** In order of time, then unit. With `mixesUnits` all units fall into one bucket, whose unit is "None". */
export async function readBuckets(
  reader: Reader,
  range: BucketRange,
  { needsValues, mixesUnits }: { readonly needsValues: boolean; readonly mixesUnits: boolean },
): Promise<Bucket[]> {
  const unit = mixesUnits ? sql<string>`'None'` : sql<string>`unit`;
  const rows = await pointsIn(reader, range)
    .select((eb) => [
      bucketNumber(range).as("bucket"),
      unit.as("shown_unit"),
      eb.fn.sum<number>("sample_count").as("count"),
      eb.fn.sum<number>("sum").as("sum"),
      eb.fn.min("minimum").as("minimum"),
      eb.fn.max("maximum").as("maximum"),
    ])
    .groupBy(["bucket", "shown_unit"])
    .orderBy("bucket")
    .orderBy("shown_unit")
    .execute();
  const values = needsValues ? await readValues(reader, range, mixesUnits) : undefined;
  return rows.map(({ bucket, shown_unit, ...totals }) => ({
    at: range.from + bucket * range.periodMs,
    unit: shown_unit,
    totals,
    values: values?.get(keyOf(bucket, shown_unit)),
  }));
}

/** The statistic of a bucket; undefined where it has none. */
export const statisticIn = (bucket: Bucket, statistic: Statistic): number | undefined =>
  statistic.needs === "totals" ? statistic.of(bucket.totals) : bucket.values && statistic.of(bucket.values);

const keyOf = (bucket: number, unit: string): string => `${bucket} ${unit}`;

function pointsIn(reader: Reader, { seriesId, from, before, unit }: BucketRange) {
  const query = reader
    .selectFrom("metric_points")
    .where("series_id", "=", seriesId)
    .where("at", ">=", from)
    .where("at", "<", before);
  return unit === undefined ? query : query.where("unit", "=", unit);
}

/** A division of integers; a plain parameter would make it one of real numbers. */
const bucketNumber = ({ from, periodMs }: BucketRange) =>
  sql<number>`(at - cast(${from} as bigint)) / cast(${periodMs} as bigint)`;

async function readValues(
  reader: Reader,
  range: BucketRange,
  mixesUnits: boolean,
): Promise<Map<string, Weighted | undefined>> {
  const rows = await pointsIn(reader, range)
    .select(["unit", "sample_count", "minimum", "maximum", bucketNumber(range).as("bucket")])
    .orderBy("minimum")
    .execute();
  const found = new Map<string, { value: number; count: number }[] | undefined>();
  for (const { bucket, unit, sample_count, minimum, maximum } of rows) {
    const key = keyOf(bucket, mixesUnits ? "None" : unit);
    const values = found.has(key) ? found.get(key) : [];
    const isHidden = minimum !== maximum;
    if (!isHidden) values?.push({ value: minimum, count: sample_count });
    found.set(key, isHidden ? undefined : values);
  }
  return found;
}
