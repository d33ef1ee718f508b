// Values of metric math: numbers, texts, time series, and arrays of them. Points are in order of time.
import { ExpressionError } from "./tokens.ts";

export interface Point {
  /** ms since 1970 */
  readonly at: number;
  readonly value: number;
}

export interface TimeSeries {
  readonly label: string;
  readonly periodMs: number;
  readonly points: readonly Point[];
}

export type Value = number | string | TimeSeries | readonly TimeSeries[];

export const isArray = (value: Value): value is readonly TimeSeries[] => Array.isArray(value);
export const isSeries = (value: Value): value is TimeSeries => typeof value === "object" && !isArray(value);

/** What an expression is evaluated over. */
export interface Span {
  /** ms since 1970, both on a period's boundary; `before` is exclusive. */
  readonly from: number;
  readonly before: number;
  readonly periodMs: number;
}

const maxGridPoints = 100_800;
const maxSeries = 500;
const maxArrayPoints = 1_000_000;

/** Throws where an array has more than anybody draws: arrays of arrays would otherwise grow without end. */
export function bounded(all: readonly TimeSeries[]): readonly TimeSeries[] {
  if (all.length > maxSeries) throw new ExpressionError(`An array has at most ${maxSeries} time series`);
  if (all.reduce((sum, { points }) => sum + points.length, 0) > maxArrayPoints)
    throw new ExpressionError(`An array has at most ${maxArrayPoints} points`);
  return all;
}

export function gridOf({ from, before, periodMs }: Span): readonly number[] {
  const count = Math.max(0, Math.ceil((before - from) / periodMs));
  if (count > maxGridPoints) throw new ExpressionError(`The expression would have more than ${maxGridPoints} points`);
  return Array.from({ length: count }, (_, at) => from + at * periodMs);
}

/** What is no number (a division by zero) is no point. */
export const series = (like: TimeSeries, points: readonly Point[]): TimeSeries => ({
  ...like,
  points: points.filter(({ value }) => Number.isFinite(value)),
});

export const mapped = (of: TimeSeries, map: (value: number, at: number) => number): TimeSeries =>
  series(
    of,
    of.points.map(({ at, value }) => ({ at, value: map(value, at) })),
  );

/** Points at the times that both have. */
export function joined(left: TimeSeries, right: TimeSeries, join: (a: number, b: number) => number): TimeSeries {
  const others = new Map(right.points.map(({ at, value }) => [at, value]));
  return series(
    left,
    left.points.flatMap(({ at, value }) => {
      const other = others.get(at);
      return other === undefined ? [] : [{ at, value: join(value, other) }];
    }),
  );
}

/** One series of what `of` makes of all values at a time; times that some lack count with the values that are there. */
export function across(all: readonly TimeSeries[], of: (values: readonly number[]) => number): TimeSeries {
  const [first] = all;
  if (!first) throw new ExpressionError("The array of metrics is empty");
  const byTime = new Map<number, number[]>();
  for (const { points } of all)
    for (const { at, value } of points) {
      const values = byTime.get(at);
      if (values) values.push(value);
      else byTime.set(at, [value]);
    }
  const points = [...byTime].toSorted(([a], [b]) => a - b).map(([at, values]) => ({ at, value: of(values) }));
  return series(first, points);
}
