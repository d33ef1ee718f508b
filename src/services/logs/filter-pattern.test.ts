import { expect, test } from "vitest";
import { parseFilterPattern } from "./filter-pattern.ts";

const matching = (pattern: string, ...lines: string[]): string[] => lines.filter(parseFilterPattern(pattern));

test("an empty pattern matches every line", () => {
  expect(matching(" ", "a", "")).toEqual(["a", ""]);
});

test("every term must be there, in any order and in its own case", () => {
  expect(matching("ERROR code", "code 5: ERROR", "ERROR", "error code")).toEqual(["code 5: ERROR"]);
});

test("a phrase in quotes is one term, with its spaces and marks", () => {
  expect(matching(`"INTERNAL SERVER \\"x\\""`, `INTERNAL SERVER "x"`, "SERVER INTERNAL")).toEqual([
    `INTERNAL SERVER "x"`,
  ]);
  expect(matching(`"-x" "?y"`, "-x ?y", "z")).toEqual(["-x ?y"]);
});

test("a question mark asks for any of the terms, a minus for none", () => {
  expect(matching("?WARN ?ERROR", "WARN 1", "ERROR 2", "INFO")).toEqual(["WARN 1", "ERROR 2"]);
  expect(matching("ERROR -Exiting", "ERROR 1", "ERROR Exiting")).toEqual(["ERROR 1"]);
  expect(matching(`-"a b"`, "a b", "ab")).toEqual(["ab"]);
});

test("a JSON pattern compares members of lines that are JSON", () => {
  const lines = [`{"level":"ERROR","n":5,"a":[{"b":"x"}]}`, `{"level":"INFO","n":1,"off":null}`, "level ERROR"];
  const found = (pattern: string): number[] => matching(pattern, ...lines).map((line) => lines.indexOf(line));
  expect(found(`{ $.level = "ERROR" }`)).toEqual([0]);
  expect(found(`{ $.level = "E*R" }`)).toEqual([0]);
  expect(found(`{ $.level = *NF* }`)).toEqual([1]);
  expect(found(`{ $.level != "ERROR" }`)).toEqual([1]);
  expect(found(`{ $.n >= 1 && $.n < 5 }`)).toEqual([1]);
  expect(found(`{ $.n = 5 || ($.n = 1 && $.off IS NULL) }`)).toEqual([0, 1]);
  expect(found(`{ $.a[0].b = "x" }`)).toEqual([0]);
  expect(found(`{ $.off NOT EXISTS }`)).toEqual([0]);
  expect(found(`{ $.["level"] = "INFO" }`.replace("$.[", "$["))).toEqual([1]);
});

test.each([`"open`, `{ $.a = }`, `{ $.a = 1`, `{ a = 1 }`, `{ ($.a = 1 }`, `{ $.a > "x" }`, `[a, b]`, `%re%`])(
  "the pattern %s is refused",
  (pattern) => {
    expect(() => parseFilterPattern(pattern)).toThrow(expect.objectContaining({ code: "InvalidParameterException" }));
  },
);

test("many wildcards in a long line cost no time to speak of", () => {
  const pattern = `{ $.a = "${"*a".repeat(400)}b" }`;
  expect(matching(pattern, JSON.stringify({ a: "a".repeat(100_000) }))).toEqual([]);
});
