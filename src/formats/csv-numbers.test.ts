import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FormatError } from "./format-error.ts";
import { CsvNumberParser, readCsvNumbers } from "./csv-numbers.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const parse = (text: string): number[][] => {
  const parser = new CsvNumberParser("a.csv");
  return [...parser.push(bytes(text)), ...parser.end()].map((row) => [...row]);
};

const table = fc
  .integer({ min: 1, max: 5 })
  .chain((width) =>
    fc.array(fc.array(fc.float({ noNaN: true }), { minLength: width, maxLength: width }), { maxLength: 6 }),
  );

test("float32 numbers survive a round trip, however the stream is cut", async () => {
  await fc.assert(
    fc.asyncProperty(table, fc.integer({ min: 1, max: 30 }), fc.constantFrom("\n", "\r\n"), async (rows, size, end) => {
      const file = bytes(
        rows.map((row) => row.map((value) => (Object.is(value, -0) ? "-0" : String(value))).join(",") + end).join(""),
      );
      const chunks = async function* (): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < file.length; at += size) yield file.subarray(at, at + size);
      };
      const read = (await Array.fromAsync(readCsvNumbers("a.csv", chunks()))).flat();
      expect(read.map((row) => [...row])).toEqual(rows);
    }),
  );
});

test("a decimal text gives the float32 that Number gives", () => {
  const decimal = fc
    .tuple(fc.constantFrom("", "-", "+"), fc.nat(), fc.stringMatching(/^\d{0,24}$/))
    .map(([sign, whole, part]) => `${sign}${whole}.${part}`);
  fc.assert(
    fc.property(decimal, (text) => {
      expect(parse(text)).toEqual([[Math.fround(Number(text))]]);
    }),
  );
});

test("spaces, quotes, exponents, empty lines and a missing last line feed are fine", () => {
  expect(parse(' 1, "2.5" ,3e2\r\n\n-.5,+4,0x1'.replace("0x1", "1."))).toEqual([
    [1, 2.5, 300],
    [-0.5, 4, 1],
  ]);
});

test("what is not a number is named by file, line and column", () => {
  expect(() => parse("1,2\n3,abc\n")).toThrow('a.csv: line 2: column 2 is "abc", not a number');
  expect(() => parse("1,,2\n")).toThrow("a.csv: line 1: column 2 is empty");
  expect(() => parse("age,sex\n1,2")).toThrow('column 1 is "age", not a number (a header line is not allowed)');
  expect(() => parse("0x10")).toThrow("not a number");
});

test("arbitrary bytes end in rows or a FormatError", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.stringMatching(/^[0-9eE.,+\-\n "]{0,40}$/).map(bytes)),
      (input) => {
        const parser = new CsvNumberParser("a.csv");
        try {
          parser.push(input);
          parser.end();
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      },
    ),
  );
});
