import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Cell, ColumnSummary } from "./column-summary.ts";

function summaryOf(cells: readonly Cell[]): ColumnSummary {
  const summary = new ColumnSummary("x");
  for (const cell of cells) summary.add(cell);
  return summary;
}

test("moments are those of the plain formulas", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 1 }), (values) => {
      const { numbers } = summaryOf(values);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      expect(numbers).toMatchObject({ count: values.length, min: Math.min(...values), max: Math.max(...values) });
      expect(numbers?.mean).toBeCloseTo(mean, 8);
      expect(numbers?.deviation).toBeCloseTo(Math.sqrt(variance), 6);
      expect(numbers?.histogram(5).reduce((sum, count) => sum + count, 0)).toBe(values.length);
    }),
  );
});

test("a long column keeps a bounded, even sample", () => {
  const values = Array.from({ length: 100_000 }, (_, at) => at);
  const counts = summaryOf(values).numbers?.histogram(4) ?? [];
  const total = counts.reduce((sum, count) => sum + count, 0);
  expect(total).toBeLessThanOrEqual(2_048);
  for (const count of counts) expect(count / total).toBeCloseTo(0.25, 1);
});

test("kinds, shapes, missing values and what is no number are told apart", () => {
  expect(summaryOf([1, 2.5, "x", undefined, null])).toMatchObject({ type: "number or text", present: 3 });
  expect(summaryOf([1, 2n]).type).toBe("integer");
  expect(summaryOf([NaN, Infinity, 1]).numbers).toMatchObject({ count: 1, notFinite: 2, mean: 1 });
  expect(summaryOf([{ numbers: [1, 2], shape: [2], isSparse: false }]).type).toBe("numbers [2]");
  expect(summaryOf([new Uint8Array(3), new Uint8Array(5)]).byteLengths).toMatchObject({ min: 3, max: 5, mean: 4 });
  expect(summaryOf([]).type).toBe("nothing");
});

test("frequent texts come first, and a thousand distinct ones are enough", () => {
  const few = summaryOf(["b", "a", "b"]).texts;
  expect(few?.frequent(2)).toEqual([
    ["b", 2],
    ["a", 1],
  ]);
  expect(few?.distinct).toBe(2);
  const many = summaryOf(Array.from({ length: 1_001 }, (_, at) => `text ${at}`)).texts;
  expect(many?.distinct).toBeUndefined();
});
