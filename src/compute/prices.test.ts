import { expect, test } from "vitest";
import { parsePrices, pricesOf, readPrices } from "./prices.ts";

test("the operator's own prices go before the list's, and an unknown type has none", () => {
  const prices = parsePrices('{"ml.m5.large": 0.01, "ml.home.box": 0}');
  expect(prices.perHour("ml.m5.large")).toBe(0.01);
  expect(prices.perHour("ml.m5.xlarge")).toBe(0.23);
  expect(prices.perHour("ml.home.box")).toBe(0);
  expect(prices.perHour("ml.unknown.large")).toBeUndefined();
  expect(pricesOf({}).perHour("constructor")).toBeUndefined();
});

test.each([
  ["no JSON", "{", "it is no JSON"],
  ["a list", "[]", "it must be an object"],
  ["wrong values", '{"ml.a": "1", "ml.b": -1, "m5.large": 1}', '"ml.a": "1", "ml.b": -1, "m5.large": 1'],
])("a price file with %s is refused, with all its problems", (_what, text, problem) => {
  expect(() => parsePrices(text)).toThrow(problem);
});

test("a file that is not there is named", () => {
  expect(() => readPrices("/nowhere/prices.json")).toThrow("--prices /nowhere/prices.json: ENOENT");
});
