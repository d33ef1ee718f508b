// Files of pyarrow and fastparquet (fixtures/make-fixtures.py): each codec, page version and encoding, with gaps and nested columns.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openParquet, type ParquetFile } from "./parquet.ts";

type Row = Readonly<Record<string, unknown>>;

const open = (name: string): Promise<ParquetFile> => {
  const bytes = readFileSync(new URL(`fixtures/${name}.parquet`, import.meta.url));
  return openParquet(name, { byteLength: bytes.length, read: async (from, to) => bytes.subarray(from, to) });
};

const rowsOf = async (name: string): Promise<Row[]> => Array.fromAsync((await open(name)).rows());

const rows = 320;
const dayMs = 86_400_000;
const unless = <T>(isGap: boolean, value: T): T | null => (isGap ? null : value);

/** What fixtures/make-fixtures.py says in Python. A list that is missing comes as undefined or null. */
const expectedRow = (at: number): Row => ({
  count: unless(at % 7 === 0, at * 1_000 - 3),
  large: 2n ** 40n + BigInt(at),
  word: unless(at % 5 === 0, `word ${at % 9} é`),
  ratio: unless(at % 11 === 0, at / 8),
  flag: unless(at % 3 === 0, at % 2 === 0),
  raw: [at % 256, 0, 255],
  day: Date.UTC(2026, 0, 1) + at * dayMs,
  numbers: unless(at % 13 === 0, at % 4 === 0 ? [] : [BigInt(at), null, -BigInt(at)]),
  points: unless(
    at % 17 === 0,
    Array.from({ length: at % 3 }, () => ({ x: at / 2, label: null })),
  ),
  by_name: [["a", BigInt(at)] as const, ["b", null] as const].slice(0, at % 3),
});

/** Bytes as numbers, days as milliseconds, maps as entries, whatever is missing as null. */
function plain(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (value instanceof Uint8Array) return [...value];
  if (value instanceof Date) return value.getTime();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
}

const entriesOf = (map: unknown): unknown => Object.entries(plain(map) as Row);

const shown = (row: Row): Row => {
  const all = plain(row) as Row;
  return "by_name" in row ? { ...all, by_name: entriesOf(row["by_name"]) } : all;
};

test.each(["1", "2"])(
  "pages of version %s, each column packed by a codec of its own, with gaps, lists, structs and maps",
  async (version) => {
    const file = await open(`columns-v${version}`);
    expect(file).toMatchObject({ rowCount: rows, rowGroupCount: 2 });
    expect(file.columns.map(({ name }) => name)).toEqual(Object.keys(expectedRow(0)));
    const found = await Array.fromAsync(file.rows());
    expect(found.map(shown)).toEqual(Array.from({ length: rows }, (_, at) => expectedRow(at)));
  },
);

test("deltas, shared beginnings, split streams and run lengths, packed by LZ4", async () => {
  const found = await rowsOf("encodings-v2");
  const expected = Array.from({ length: rows }, (_, at) => {
    const { count, large, word, raw, ratio, flag } = expectedRow(at);
    return { count, large, word, raw, ratio, flag };
  });
  expect(found.map(shown)).toEqual(expected);
});

test("another writer's file: fastparquet's, with a category behind a dictionary", async () => {
  const found = await rowsOf("fastparquet-snappy");
  const expected = Array.from({ length: 40 }, (_, at) => ({
    n: BigInt(at),
    word: unless(at % 5 === 0, `word ${at % 3}`),
    ratio: unless(at % 4 === 0, at / 4),
    kind: at % 2 === 0 ? "red" : "green",
  }));
  expect(found.map((row) => plain({ ...row, ratio: Number.isNaN(row["ratio"]) ? null : row["ratio"] }))).toEqual(
    expected,
  );
});

test("a codec that cannot be unpacked is named: LZ4 from before LZ4_RAW", async () => {
  await expect(rowsOf("fastparquet-lz4-old")).rejects.toThrow(
    "fastparquet-lz4-old: row group 1 is not readable: parquet unsupported compression codec: LZ4",
  );
});
