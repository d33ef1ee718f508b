import * as fc from "fast-check";
import { expect, test } from "vitest";
import { inChunks, textChunks } from "./chunks.fake.ts";
import { FormatError } from "./format-error.ts";
import { formatLibsvmRow, type LibsvmRow, readLibsvm } from "./libsvm.ts";

const rowsOf = (text: string): Promise<LibsvmRow[]> => Array.fromAsync(readLibsvm("a.libsvm", textChunks(text)));

const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const row: fc.Arbitrary<LibsvmRow> = fc
  .record(
    {
      label: number,
      weight: number,
      queryId: fc.nat(1_000),
      pairs: fc.array(fc.tuple(fc.nat(2 ** 31 - 1), number), { maxLength: 5 }),
    },
    { requiredKeys: ["label", "pairs"] },
  )
  .map(({ pairs, ...rest }) => ({
    ...rest,
    indices: pairs.map(([index]) => index),
    values: pairs.map(([, value]) => value),
  }));

test("rows survive a round trip, however the stream is cut", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row), fc.integer({ min: 1, max: 30 }), async (rows, size) => {
      const bytes = new TextEncoder().encode(rows.map((each) => `${formatLibsvmRow(each)}\n`).join(""));
      expect(await Array.fromAsync(readLibsvm("a.libsvm", inChunks(bytes, size)))).toEqual(rows);
    }),
  );
});

test("weights, groups, comments, empty lines and Windows line ends are read", async () => {
  expect(await rowsOf("# head\n1:0.5 qid:7 0:1e-3 5:-2 # tail\r\n\n-1 3:.5\n+2")).toEqual([
    { label: 1, weight: 0.5, queryId: 7, indices: [0, 5], values: [0.001, -2] },
    { label: -1, indices: [3], values: [0.5] },
    { label: 2, indices: [], values: [] },
  ]);
});

test("what is no libsvm is told with its line", async () => {
  await expect(rowsOf("1 1:2\nred 1:2\n")).rejects.toThrow('a.libsvm: line 2: the label is "red", not a number');
  await expect(rowsOf("1 2,3\n")).rejects.toThrow('line 1: "2,3" is not of the form index:value');
  await expect(rowsOf("1 -1:3\n")).rejects.toThrow('the index "-1" is not a whole number');
  await expect(rowsOf("1 1:x\n")).rejects.toThrow('the value of index 1 is "x", not a number');
});

test("arbitrary text ends in rows or a FormatError", async () => {
  const words = fc.array(fc.constantFrom("1", ":", " ", "qid:", "#", "\n", "-", "e5", "nan", ".", "é"), {
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(words, async (words) => {
      const outcome = await rowsOf(words.join("")).catch((error: unknown) => error);
      expect(Array.isArray(outcome) || outcome instanceof FormatError).toBe(true);
    }),
  );
});
