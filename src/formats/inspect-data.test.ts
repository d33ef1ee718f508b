import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { inChunks, sharedFixture } from "./chunks.fake.ts";
import { FormatError } from "./format-error.ts";
import { inspectData, type DataFile, type InspectOptions } from "./inspect-data.ts";
import { encodeExample } from "./tf-example.ts";
import { encodeTfRecord } from "./tfrecord.ts";

const fileOf = (bytes: Uint8Array | string): DataFile => {
  const whole = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  return {
    source: "a",
    byteLength: whole.length,
    stream: () => inChunks(whole, 1_000),
    read: async (from, to) => whole.subarray(from, to),
  };
};

const inspect = (bytes: Uint8Array | string, options: Partial<InspectOptions> = {}) =>
  inspectData(fileOf(bytes), { firstRecords: 1, recordLimit: 1_000_000, ...options });

const namesOf = async (text: string, options: Partial<InspectOptions> = {}): Promise<string[]> =>
  (await inspect(text, options)).columns.map(({ name }) => name);

test("a CSV's header is found where numbers follow, and believed or denied when asked", async () => {
  expect(await namesOf("age,name\n3,Rex\n4,Tom\n")).toEqual(["age", "name"]);
  expect(await namesOf("city,name\nOslo,Rex\n")).toEqual(["city", "name"]);
  expect(await namesOf("1,2\n3,4\n")).toEqual(["column 1", "column 2"]);
  expect(await namesOf("age,name\n3,Rex\n", { hasHeader: false })).toEqual(["column 1", "column 2"]);
  expect(await namesOf("1,,1\n3,4,5\n", { hasHeader: true })).toEqual(["1", "column 2", "1 3"]);
});

test("missing fields and short rows count as missing", async () => {
  const { recordCount, columns } = await inspect("a,b\n1,\n2,x\n3\nNA,y\n");
  expect(recordCount).toBe(4);
  expect(columns.map(({ present, type }) => ({ present, type }))).toEqual([
    { present: 3, type: "integer" },
    { present: 2, type: "text" },
  ]);
});

test("gzip is unpacked, and a cut one is told", async () => {
  const packed = gzipSync("1 3:0.5\n0 2:1 7:2\n");
  const summary = await inspect(packed);
  expect(summary).toMatchObject({ isGzip: true, format: { name: "libsvm" }, recordCount: 2 });
  expect(summary.columns.map(({ name }) => name)).toEqual(["label", "features"]);
  await expect(inspect(packed.subarray(0, -10))).rejects.toThrow("a: damaged gzip: unexpected end of file");
});

test("Parquet is read by its end, packed or not", async () => {
  const people = readFileSync(new URL("fixtures/people-snappy.parquet", import.meta.url));
  for (const bytes of [people, gzipSync(people)]) {
    const { recordCount, columns, notes } = await inspect(bytes);
    expect(recordCount).toBe(4);
    expect(columns.map(({ name, present }) => [name, present])).toEqual([
      ["name", 3],
      ["score", 3],
      ["n", 4],
      ["tags", 3],
    ]);
    expect(notes[0]).toBe("4 rows in 2 row groups");
  }
});

test("examples show texts that are kept as bytes, and the limit ends the pass", async () => {
  const example = encodeExample(
    new Map([
      ["name", { type: "bytes", values: [new TextEncoder().encode("cat")] }],
      ["data", { type: "bytes", values: [Uint8Array.of(0xff, 0, 1)] }],
    ]),
  );
  const framed = encodeTfRecord(example);
  const summary = await inspect(Buffer.concat([framed, framed, framed]), { recordLimit: 2 });
  expect(summary).toMatchObject({ recordCount: 2, isWhole: false });
  expect(summary.firstRecords).toEqual([
    new Map<string, unknown>([
      ["data", Uint8Array.of(0xff, 0, 1)],
      ["name", "cat"],
    ]),
  ]);
});

test("a damaged record is told with its number and its place", async () => {
  const file = Buffer.concat([encodeTfRecord(Uint8Array.of(1)), encodeTfRecord(Uint8Array.of(2))]);
  file[17 + 12] = 7;
  await expect(inspect(file)).rejects.toThrow(/^a: record 2: its data is damaged.*\(at byte 17\)$/);
});

test("arbitrary text ends in a summary or a FormatError", async () => {
  const words = fc.array(fc.constantFrom("1", ",", "\n", '"', "{", "}", ":", "a", " ", "0:1", "[", "]"), {
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(words, async (words) => {
      const outcome = await inspect(words.join("")).catch((error: unknown) => error);
      expect(outcome instanceof FormatError || (outcome instanceof Object && "recordCount" in outcome)).toBe(true);
    }),
  );
});

const fixtures = [
  ["dummy_tensor.pbr", 100, [784]],
  ["matrix_0.pbr", 100, [784]],
  ["nips-train_1.pbr", 350, [12_419]],
] as const;
test.skipIf(sharedFixture("dummy_tensor.pbr") === undefined).each(fixtures)(
  "AWS's own %s is read to its end (needs ../shared/data)",
  async (name, count, shape) => {
    const { recordCount, firstRecords } = await inspect(sharedFixture(name)!);
    expect(recordCount).toBe(count);
    expect(firstRecords[0]?.get("features.values")).toMatchObject({ shape });
  },
);

const edgeCases = [
  ["xgb_recordio/single_feature_label.pb", 1],
  ["xgb_recordio/sparse_edge_cases_diagonal.pbr", 3],
  ["xgb_recordio/sparse_train.pb", 5],
  ["xgb_recordio/train.pb", 5],
  ["object2vec_train.jsonl", 1_000],
  ["ipinsights_train.csv", 10],
  ["mnist_first_10_rows.recordio", 10],
  ["monitor/actuals.jsonl", 44],
] as const;
test.skipIf(sharedFixture("ipinsights_train.csv") === undefined).each(edgeCases)(
  "%s has %i records (needs ../shared/data)",
  async (name, count) => {
    expect((await inspect(sharedFixture(name)!)).recordCount).toBe(count);
  },
);
