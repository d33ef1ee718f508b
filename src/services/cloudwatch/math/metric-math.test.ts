import { array, assert, constantFrom, oneof, property, string } from "fast-check";
import { describe, expect, test } from "vitest";
import { evaluate, type Surroundings } from "./evaluate.ts";
import { parseExpression } from "./parse-expression.ts";
import type { TimeSeries, Value } from "./time-series.ts";
import { ExpressionError } from "./tokens.ts";

const minuteMs = 60_000;
const of = (label: string, values: readonly (number | undefined)[]): TimeSeries => ({
  label,
  periodMs: minuteMs,
  points: values.flatMap((value, at) => (value === undefined ? [] : [{ at: at * minuteMs, value }])),
});

const m1 = of("one", [1, 2, 4, 8]);
const m2 = of("two", [10, undefined, 0, 5]);
const known: Readonly<Record<string, Value>> = { m1, m2, all: [m1, m2], negative: of("n", [-1.5, 2.4]) };

const around: Surroundings = {
  span: { from: 0, before: 4 * minuteMs, periodMs: minuteMs },
  valueOf: (id) => known[id],
  metrics: (part) => [m1, m2].filter((_, at) => `m${at + 1}`.includes(part)),
};

const run = (expression: string): Value => evaluate(parseExpression(expression), around);
/** Values by minute, "-" where there is no point. */
function shown(value: Value): unknown {
  if (typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((one: TimeSeries) => shown(one));
  const { points } = value as TimeSeries;
  return Array.from({ length: 4 }, (_, at) => points.find((point) => point.at === at * minuteMs)?.value ?? "-");
}

describe("an expression gives", () => {
  test.each<[string, unknown]>([
    ["2 + 3 * 4 ^ 2 / 8 - 1", 7],
    ["-2 ^ 2", -4],
    ["2 ^ 3 ^ 2", 512],
    ["(1 + 2) * 3", 9],
    ["1e3 / .5", 2000],
    ["3 > 2 AND 1 == 2 || 5 != 4", 1],
    ["m1 + m2", [11, "-", 4, 13]],
    ["m1 / m2", [0.1, "-", "-", 1.6]],
    ["100 * m1", [100, 200, 400, 800]],
    ["-m1", [-1, -2, -4, -8]],
    ["m1 > 2", [0, 0, 1, 1]],
    ["m1 > 1 AND m2", [0, "-", 0, 1]],
    [
      "all * 2",
      [
        [2, 4, 8, 16],
        [20, "-", 0, 10],
      ],
    ],
    ["ABS(negative)", [1.5, 2.4, "-", "-"]],
    ["CEIL(negative)", [-1, 3, "-", "-"]],
    ["FLOOR(negative)", [-2, 2, "-", "-"]],
    ["AVG(m1)", 3.75],
    ["SUM(m1)", 15],
    ["MIN(m1)", 1],
    ["MAX(m1)", 8],
    ["STDDEV(m1)", Math.sqrt(7.1875)],
    ["DATAPOINT_COUNT(m2)", 3],
    ["SUM(METRICS())", [11, 2, 4, 13]],
    ['SUM(METRICS("m1"))', [1, 2, 4, 8]],
    ["AVG([m1, m2])", [5.5, 2, 2, 6.5]],
    ["MAX(all)", [10, 2, 4, 8]],
    ["METRIC_COUNT(all)", 2],
    ["DIFF(m1)", ["-", 1, 2, 4]],
    ["DIFF_TIME(m2)", ["-", "-", 120, 60]],
    ["RATE(m1) * 60", ["-", 1, 2, 4]],
    ["RUNNING_SUM(m1)", [1, 3, 7, 15]],
    ["PERIOD(m1)", 60],
    ["m1 / PERIOD(m1) * 60", [1, 2, 4, 8]],
    ["FILL(m2, 0)", [10, 0, 0, 5]],
    ["FILL(m2, REPEAT)", [10, 10, 0, 5]],
    ["FILL(m2, LINEAR)", [10, 5, 0, 5]],
    ["FILL(m2, m1)", [10, 2, 0, 5]],
    [
      "FILL(METRICS(), 7)",
      [
        [1, 2, 4, 8],
        [10, 7, 0, 5],
      ],
    ],
    ["IF(m1 > 2, m1)", ["-", "-", 4, 8]],
    ["IF(m1 > 2, m1, 0)", [0, 0, 4, 8]],
    ["IF(m2, 1, m1)", [1, "-", 4, 1]],
    ["IF(1 > 2, m1, m2)", [10, "-", 0, 5]],
    ["TIME_SERIES(3)", [3, 3, 3, 3]],
    ["FIRST(all)", [1, 2, 4, 8]],
    ["LAST(all)", [10, "-", 0, 5]],
    ["SLICE(all, 1)", [10, "-", 0, 5]],
    ["SLICE(all, 0, 1)", [[1, 2, 4, 8]]],
    ["SORT(all, MAX, DESC, 1)", [[10, "-", 0, 5]]],
    [
      "SORT(all, SUM, ASC)",
      [
        [1, 2, 4, 8],
        [10, "-", 0, 5],
      ],
    ],
    ["REMOVE_EMPTY([m1, m2 / 0])", [[1, 2, 4, 8]]],
    ["LOG10(m1 * 0 + 100)", [2, 2, 2, 2]],
    ["MINUTE(m1)", [0, 1, 2, 3]],
    ["EPOCH(m1)", [0, 60, 120, 180]],
    ["DAY(m1) * 100 + MONTH(m1)", [401, 401, 401, 401]],
    ["YEAR(m1)", [1970, 1970, 1970, 1970]],
  ])("%s", (expression, expected) => {
    expect(shown(run(expression))).toEqual(expected);
  });
});

test.each<[string, string]>([
  ["m1 +", "Unexpected end of the expression"],
  ["m1 m2", "Unexpected 'm2' at position 4"],
  ["m1 § 2", "Unexpected character at position 3"],
  ["nobody * 2", "There is no query with the id nobody"],
  ["ANOMALY_DETECTION_BAND(m1, 2)", "The function ANOMALY_DETECTION_BAND is not supported by Salvia"],
  ["constructor(m1)", "The function constructor is not supported by Salvia"],
  ["ABS(m1, 2)", "ABS takes 1 argument(s)"],
  ["PERIOD(all)", "PERIOD takes a time series as argument 1"],
  ["FILL(m1, SOMETHING)", "There is no query with the id SOMETHING"],
  ["all + all", "The operator + takes at most one array"],
  ["[1, 2]", "An array holds time series only"],
  [`${"(".repeat(400)}1${")".repeat(400)}`, "The expression is nested too deeply"],
  ["1".repeat(3_000), "The expression is longer than 2048 characters"],
])("%s is refused in words", (expression, message) => {
  expect(() => run(expression)).toThrow(new ExpressionError(message));
});

test("whatever the text, it is a value or a refusal in words", () => {
  const words = [
    "m1",
    "m2",
    "all",
    "+",
    "-",
    "(",
    ")",
    "[",
    "]",
    ",",
    "1",
    "2.5",
    "FILL",
    "IF",
    "SUM",
    "^",
    "AND",
    '"x"',
  ];
  const text = array(constantFrom(...words), { maxLength: 20 }).map((parts) => parts.join(" "));
  assert(
    property(oneof(text, string()), (expression) => {
      try {
        run(expression);
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error;
      }
    }),
  );
});
