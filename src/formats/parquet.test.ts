import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { sharedFixture } from "./chunks.fake.ts";
import { FormatError } from "./format-error.ts";
import { openParquet, type RandomAccess, startsLikeParquet } from "./parquet.ts";

const access = (bytes: Uint8Array): RandomAccess => ({
  byteLength: bytes.length,
  read: async (from, to) => bytes.subarray(from, to),
});

const people = (codec: string): Buffer => readFileSync(new URL(`fixtures/people-${codec}.parquet`, import.meta.url));

const rowsOf = async (bytes: Uint8Array): Promise<unknown[]> =>
  Array.fromAsync((await openParquet("a.parquet", access(bytes))).rows());

// Written by pyarrow, two rows a group.
test.each(["snappy", "gzip", "zstd", "brotli", "lz4"])(
  "text, numbers, lists and missing values are read from a file packed by %s",
  async (codec) => {
    const bytes = people(codec);
    expect(startsLikeParquet(bytes)).toBe(true);
    const file = await openParquet("a.parquet", access(bytes));
    expect(file).toMatchObject({
      rowCount: 4,
      rowGroupCount: 2,
      columns: [
        { name: "name", type: "BYTE_ARRAY (STRING)" },
        { name: "score", type: "DOUBLE" },
        { name: "n", type: "INT64" },
        { name: "tags", type: "GROUP (LIST)" },
      ],
    });
    expect(await Array.fromAsync(file.rows())).toEqual([
      { name: "ada", score: 1.5, n: 1n, tags: ["a", "b"] },
      { name: "bob", score: null, n: 2n, tags: [] },
      { name: null, score: -2.25, n: 3n, tags: undefined },
      { name: "dora", score: 4, n: 2n ** 40n, tags: ["c"] },
    ]);
  },
);

test("a file cut at any place is refused", async () => {
  const bytes = people("snappy");
  for (let length = 0; length < bytes.length; length++) {
    await expect(rowsOf(bytes.subarray(0, length))).rejects.toThrow(FormatError);
  }
});

test("a file with damaged bytes ends in rows or a FormatError", async () => {
  const codec = fc.constantFrom("snappy", "gzip", "zstd", "brotli", "lz4");
  await fc.assert(
    fc.asyncProperty(codec, fc.nat(), fc.nat(255), async (codec, at, byte) => {
      const bytes = people(codec);
      bytes[at % bytes.length] = byte;
      const outcome = await rowsOf(bytes).catch((error: unknown) => error);
      expect(Array.isArray(outcome) || outcome instanceof FormatError).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("trouble of the disk is told as it is", async () => {
  const read = (): Promise<never> => Promise.reject(new Error("EIO"));
  await expect(openParquet("a.parquet", { byteLength: 1_000, read })).rejects.toThrow(/^EIO$/);
});

const xgboost = sharedFixture("xgb_parquet/train.parquet");
test.skipIf(xgboost === undefined)("XGBoost's own test file is read (needs ../shared/data)", async () => {
  const rows = await rowsOf(xgboost!);
  expect(rows).toHaveLength(5);
  expect(rows[0]).toEqual({ 0: 0n, 1: 1n, 2: 0n, 3: 0n, 4: 0n, 5: 0n });
});
