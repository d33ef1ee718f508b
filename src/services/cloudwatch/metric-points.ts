// Stores points of metrics inside the caller's transaction: for other rooms (Metrics) and for PutMetricData.
import type { Scope } from "../../database/resources.ts";
import type { Writer } from "../../database/store.ts";
import type { MetricPointsTable } from "../../database/tables/metrics.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import { dimensionsText, feedSeries } from "./series.ts";

/** One value, repeated `count` times, or a statistic set. */
export interface Point {
  /** ms since 1970 */
  readonly at: number;
  readonly unit: string;
  readonly count: number;
  readonly sum: number;
  readonly minimum: number;
  readonly maximum: number;
}

export interface SeriesPoints {
  readonly name: string;
  readonly dimensions: string;
  readonly points: readonly Point[];
}

export interface MetricData {
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
  readonly unit: string;
  /** ms since 1970 */
  readonly timestamp: number;
}

export interface Metrics {
  /** Stores the data in the caller's transaction; points keep the resolution of a second. Values are finite numbers. */
  put(tx: Writer, scope: Scope, namespace: string, data: readonly MetricData[]): Promise<void>;
}

export interface PointStore {
  put(tx: Writer, scope: Scope, namespace: string, series: readonly SeriesPoints[]): Promise<void>;
}

/** Few distinct lengths keep the statements prepared. */
const insertLengths = [100, 10, 1];

export function createPointStore({ clock, random }: { readonly clock: Clock; readonly random: Random }): PointStore {
  return {
    put: async (tx, scope, namespace, all) => {
      const rows: MetricPointsTable[] = [];
      for (const { name, dimensions, points } of all) {
        const id = await feedSeries(tx, scope, { namespace, name, dimensions }, { now: clock.now(), random });
        for (const { at, unit, count, sum, minimum, maximum } of points)
          rows.push({ series_id: id, at, unit, sample_count: count, sum, minimum, maximum });
      }
      await insertRows(tx, rows);
    },
  };
}

async function insertRows(tx: Writer, rows: readonly MetricPointsTable[]): Promise<void> {
  let at = 0;
  for (const length of insertLengths) {
    for (; rows.length - at >= length; at += length) {
      await tx
        .insertInto("metric_points")
        .values(rows.slice(at, at + length))
        .execute();
    }
  }
}

const secondMs = 1_000;

export const valuePoint = (value: number, count: number, unit: string, at: number): Point => ({
  at,
  unit,
  count,
  sum: value * count,
  minimum: value,
  maximum: value,
});

export const createMetrics = (points: PointStore): Metrics => ({
  put: async (tx, scope, namespace, data) => {
    const bySeries = new Map<string, { name: string; dimensions: string; points: Point[] }>();
    for (const { name, dimensions, value, unit, timestamp } of data) {
      const text = dimensionsText(Object.entries(dimensions));
      const key = JSON.stringify([name, text]);
      const series = bySeries.get(key) ?? { name, dimensions: text, points: [] };
      series.points.push(valuePoint(value, 1, unit, timestamp - (timestamp % secondMs)));
      bySeries.set(key, series);
    }
    await points.put(tx, scope, namespace, [...bySeries.values()]);
  },
});
