import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseStatistic, type Weighted } from "./statistic.ts";

const upTo = (most: number): Weighted => Array.from({ length: most }, (_, index) => ({ value: index + 1, count: 1 }));

function of(name: string, values: Weighted): number | undefined {
  const statistic = parseStatistic(name);
  return statistic?.needs === "values" ? statistic.of(values) : undefined;
}

test("the five simple statistics come from the totals", () => {
  const totals = { count: 4, sum: 10, minimum: 1, maximum: 5 };
  const found = ["SampleCount", "Sum", "Average", "Minimum", "Maximum"].map((name) => {
    const statistic = parseStatistic(name);
    return statistic?.needs === "totals" ? statistic.of(totals) : undefined;
  });
  expect(found).toEqual([4, 10, 2.5, 1, 5]);
});

test.each([
  ["p50", 50],
  ["p99.9", 100],
  ["p0", 1],
  ["p100", 100],
  ["tm90", 45.5],
  ["TM(10%:90%)", 50.5],
  ["IQM", 50.5],
  ["TM(10:20)", 15.5],
  ["TC(:20)", 20],
  ["TS(80%:)", 1_810],
  ["PR(25:75)", 50],
  ["wm50", 37.75],
])("%s of the numbers 1 to 100 is %d", (name, expected) => {
  expect(of(name, upTo(100))).toBeCloseTo(expected, 9);
});

test("a value that came often counts as often", () => {
  const values = [
    { value: 1, count: 97 },
    { value: 9, count: 3 },
  ];
  expect(of("p97", values)).toBe(1);
  expect(of("p98", values)).toBe(9);
  expect(of("tm98", values)).toBeCloseTo((97 + 9) / 98, 12);
});

test.each(["p101", "p", "median", "TM(5:1)", "TM(:)", "PR(1%:2%)", "TM(1%:5)", "tm150", "toString", "TM(5%:120%)"])(
  "%s is no statistic",
  (name) => {
    expect(parseStatistic(name)).toBeUndefined();
  },
);

test("a percentile is one of the values, and never falls as the percent rises", () => {
  const numbers = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 40 });
  const percent = fc.integer({ min: 0, max: 1_000 });
  fc.assert(
    fc.property(numbers, percent, percent, (given, a, b) => {
      const values = given.toSorted((x, y) => x - y).map((value) => ({ value, count: 1 }));
      const [low, high] = [Math.min(a, b), Math.max(a, b)].map((p) => of(`p${p / 10}`, values)!);
      expect(given).toContain(low);
      expect(low).toBeLessThanOrEqual(high!);
    }),
  );
});
