// The functions of metric math. Each is given values; what it cannot take is an ExpressionError that names it.
// Source: "Functions supported for metric math", CloudWatch user guide.
import {
  across,
  gridOf,
  isArray,
  isSeries,
  mapped,
  series,
  type Point,
  type Span,
  type TimeSeries,
  type Value,
} from "./time-series.ts";
import { ExpressionError } from "./tokens.ts";

export interface Call {
  readonly name: string;
  readonly values: readonly Value[];
  readonly span: Span;
}

type MathFunction = (call: Call) => Value;

const wrong = ({ name }: Call, what: string): ExpressionError => new ExpressionError(`${name} takes ${what}`);

function seriesAt(call: Call, at: number): TimeSeries {
  const value = call.values[at];
  if (value === undefined || !isSeries(value)) throw wrong(call, `a time series as argument ${at + 1}`);
  return value;
}

function arrayAt(call: Call, at: number): readonly TimeSeries[] {
  const value = call.values[at];
  if (value === undefined || !isArray(value)) throw wrong(call, `an array of time series as argument ${at + 1}`);
  return value;
}

function numberAt(call: Call, at: number): number {
  const value = call.values[at];
  if (typeof value !== "number") throw wrong(call, `a number as argument ${at + 1}`);
  return value;
}

function expectCount(call: Call, least: number, most = least): void {
  if (call.values.length < least || call.values.length > most)
    throw wrong(call, least === most ? `${least} argument(s)` : `${least} to ${most} arguments`);
}

/** The same of one series or of each of an array. */
const each =
  (of: (one: TimeSeries, call: Call) => TimeSeries): MathFunction =>
  (call) => {
    expectCount(call, 1);
    const [value] = call.values;
    return value !== undefined && isArray(value) ? value.map((one) => of(one, call)) : of(seriesAt(call, 0), call);
  };

const byValue = (of: (value: number) => number): MathFunction => {
  const ofSeries = each((one) => mapped(one, of));
  return (call) => (typeof call.values[0] === "number" ? of(numberAt(call, 0)) : ofSeries(call));
};

const byTime = (of: (time: Date) => number): MathFunction => each((one) => mapped(one, (_, at) => of(new Date(at))));

/** Of a series its one number; of an array a series. */
const summary =
  (of: (values: readonly number[]) => number): MathFunction =>
  (call) => {
    expectCount(call, 1);
    const [value] = call.values;
    if (value !== undefined && isArray(value)) return across(value, of);
    return of(seriesAt(call, 0).points.map((point) => point.value));
  };

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
const largest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), -Infinity);
const smallest = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Infinity);

function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
}

/** Of each point and the one before it; the first has none. */
const stepwise = (of: (now: Point, before: Point) => number): MathFunction =>
  each((one) =>
    series(
      one,
      one.points.flatMap((point, index) => {
        const before = one.points[index - 1];
        return before ? [{ at: point.at, value: of(point, before) }] : [];
      }),
    ),
  );

const runningSum = each((one) => {
  let total = 0;
  return mapped(one, (value) => (total += value));
});

function filled(one: TimeSeries, filler: Value, call: Call): TimeSeries {
  const known = new Map(one.points.map(({ at, value }) => [at, value]));
  const others =
    typeof filler === "object" && isSeries(filler) ? new Map(filler.points.map(({ at, value }) => [at, value])) : known;
  let last: number | undefined;
  const points = gridOf(call.span).flatMap((at) => {
    const value = known.get(at) ?? fillAt(one, { at, filler, others, last });
    if (value === undefined) return [];
    last = value;
    return [{ at, value }];
  });
  return series(one, points);
}

interface Gap {
  readonly at: number;
  readonly filler: Value;
  readonly others: ReadonlyMap<number, number>;
  readonly last: number | undefined;
}

function fillAt(one: TimeSeries, { at, filler, others, last }: Gap): number | undefined {
  if (typeof filler === "number") return filler;
  if (filler === "REPEAT") return last;
  if (filler !== "LINEAR") return others.get(at);
  const after = one.points.findIndex((point) => point.at > at);
  const [before, next] = [one.points[after - 1], one.points[after]];
  if (!before || !next) return undefined;
  return before.value + ((next.value - before.value) * (at - before.at)) / (next.at - before.at);
}

const fill: MathFunction = (call) => {
  expectCount(call, 2);
  const [value, filler] = call.values;
  const isWord = filler === "REPEAT" || filler === "LINEAR";
  if (filler === undefined || isArray(filler) || (typeof filler === "string" && !isWord))
    throw wrong(call, "a number, a time series, REPEAT or LINEAR as argument 2");
  if (value !== undefined && isArray(value)) return value.map((one) => filled(one, filler, call));
  return filled(seriesAt(call, 0), filler, call);
};

/** IF(condition, then[, else]): a point whose condition is zero takes `else`, or is left out. */
const choose: MathFunction = (call) => {
  expectCount(call, 2, 3);
  const [condition, yes = 0, no] = call.values;
  const at = (value: Value | undefined): ((time: number) => number | undefined) => {
    if (value === undefined) return () => undefined;
    if (typeof value === "number") return () => value;
    if (!isSeries(value as TimeSeries)) throw wrong(call, "numbers and single time series");
    const points = new Map((value as TimeSeries).points.map((point) => [point.at, point.value]));
    return (time) => points.get(time);
  };
  if (typeof condition === "number") {
    const chosen = condition === 0 ? no : yes;
    if (chosen === undefined) throw wrong(call, "a third argument where the condition is a number that is 0");
    return chosen;
  }
  const [whenTrue, whenFalse] = [at(yes), at(no)];
  const like = seriesAt(call, 0);
  return series(
    like,
    like.points.flatMap((point) => {
      const value = point.value === 0 ? whenFalse(point.at) : whenTrue(point.at);
      return value === undefined ? [] : [{ at: point.at, value }];
    }),
  );
};

const sortKeys: Readonly<Record<string, (values: readonly number[]) => number>> = {
  AVG: mean,
  MIN: smallest,
  MAX: largest,
  SUM: sum,
};

/** SORT(array, AVG | MIN | MAX | SUM, ASC | DESC[, count]). */
const sort: MathFunction = (call) => {
  expectCount(call, 3, 4);
  const [, key, order] = call.values;
  const of = typeof key === "string" ? sortKeys[key] : undefined;
  if (!of || (order !== "ASC" && order !== "DESC"))
    throw wrong(call, "AVG, MIN, MAX or SUM, then ASC or DESC, and perhaps a number");
  const direction = order === "ASC" ? 1 : -1;
  const keyed = arrayAt(call, 0).map((one) => ({ one, key: of(one.points.map(({ value }) => value)) }));
  const sorted = keyed.toSorted((a, b) => (a.key - b.key) * direction).map(({ one }) => one);
  return sorted.slice(0, call.values.length === 4 ? numberAt(call, 3) : sorted.length);
};

/** SLICE(array, start[, end]): one series where only its start is given. */
const slice: MathFunction = (call) => {
  expectCount(call, 2, 3);
  const all = arrayAt(call, 0);
  if (call.values.length === 3) return all.slice(numberAt(call, 1), numberAt(call, 2));
  const one = all[numberAt(call, 1)];
  if (!one) throw wrong(call, `a number below ${all.length} as argument 2`);
  return one;
};

function end(call: Call, at: 0 | -1): TimeSeries {
  expectCount(call, 1);
  const one = arrayAt(call, 0).at(at);
  if (!one) throw wrong(call, "an array with at least one time series");
  return one;
}

function periodSeconds(call: Call): number {
  expectCount(call, 1);
  return seriesAt(call, 0).periodMs / 1_000;
}

function constant(call: Call): TimeSeries {
  expectCount(call, 1);
  const value = numberAt(call, 0);
  const points = gridOf(call.span).map((at) => ({ at, value }));
  return { label: "", periodMs: call.span.periodMs, points };
}

function metricCount(call: Call): number {
  expectCount(call, 1);
  return arrayAt(call, 0).length;
}

function removeEmpty(call: Call): readonly TimeSeries[] {
  expectCount(call, 1);
  return arrayAt(call, 0).filter(({ points }) => points.length > 0);
}

const secondsBetween = (now: Point, before: Point): number => (now.at - before.at) / 1_000;

export const functions: Readonly<Record<string, MathFunction>> = {
  ABS: byValue(Math.abs),
  AVG: summary(mean),
  CEIL: byValue(Math.ceil),
  DATAPOINT_COUNT: summary((values) => values.length),
  DATE: byTime((time) => time.getUTCDate()),
  DAY: byTime((time) => time.getUTCDay() || 7),
  DIFF: stepwise((now, before) => now.value - before.value),
  DIFF_TIME: stepwise(secondsBetween),
  EPOCH: byTime((time) => time.getTime() / 1_000),
  FILL: fill,
  FIRST: (call) => end(call, 0),
  FLOOR: byValue(Math.floor),
  HOUR: byTime((time) => time.getUTCHours()),
  IF: choose,
  LAST: (call) => end(call, -1),
  LOG: byValue(Math.log),
  LOG10: byValue(Math.log10),
  MAX: summary(largest),
  METRIC_COUNT: metricCount,
  MIN: summary(smallest),
  MINUTE: byTime((time) => time.getUTCMinutes()),
  MONTH: byTime((time) => time.getUTCMonth() + 1),
  PERIOD: periodSeconds,
  RATE: stepwise((now, before) => (now.value - before.value) / secondsBetween(now, before)),
  REMOVE_EMPTY: removeEmpty,
  RUNNING_SUM: runningSum,
  SLICE: slice,
  SORT: sort,
  STDDEV: summary(deviation),
  SUM: summary(sum),
  TIME_SERIES: constant,
  YEAR: byTime((time) => time.getUTCFullYear()),
};

/** Words that functions take as they are. */
export const words: ReadonlySet<string> = new Set(["REPEAT", "LINEAR", "ASC", "DESC", ...Object.keys(sortKeys)]);
