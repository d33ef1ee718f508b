import { expect, test } from "vitest";
import { linearRegex, RegexProblem } from "./linear-regex.ts";

test("groups are given by name and by number", () => {
  const regex = linearRegex(String.raw`(?<user>\w+) took (\d+) ms`);
  expect(regex.names).toEqual(["user"]);
  expect(regex.match("ann took 12 ms, bob took 3 ms")).toEqual({
    named: { user: "ann" },
    groups: ["ann took 12 ms", "ann", "12"],
  });
  expect(regex.match("nobody")).toBeUndefined();
  expect([regex.test("x took 1 ms"), regex.test("x")]).toEqual([true, false]);
});

test("a pattern that would take others years takes no time", () => {
  const startedAt = performance.now();
  expect(linearRegex("(a+)+$").test(`${"a".repeat(50_000)}b`)).toBe(false);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

test("a pattern's steps tell how much it costs, its repeats written out", () => {
  expect(linearRegex("a(b)").steps).toBeLessThan(20);
  expect(linearRegex("(.{0,1000})b").steps).toBeGreaterThan(1_000);
});

test.each(["(", "a{1001}", String.raw`(a)\1`, "(?=a)", "x".repeat(2_001)])("%s is refused with a reason", (pattern) => {
  expect(() => linearRegex(pattern)).toThrow(RegexProblem);
});
