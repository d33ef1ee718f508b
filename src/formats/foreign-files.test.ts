// Files that scikit-learn and TensorFlow wrote (fixtures/make-fixtures.py).
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { inChunks } from "./chunks.fake.ts";
import { inspectData } from "./inspect-data.ts";
import { readLibsvm, type LibsvmRow } from "./libsvm.ts";
import { decodeExample, encodeExample } from "./tf-example.ts";
import { encodeTfRecord, readTfRecords } from "./tfrecord.ts";

const fixture = (name: string): Buffer => readFileSync(new URL(`fixtures/${name}`, import.meta.url));

const libsvmRows = (name: string): Promise<LibsvmRow[]> =>
  Array.fromAsync(readLibsvm(name, inChunks(fixture(name), 100)));

test("scikit-learn's libsvm of the irises: comments before 150 rows of four features from one", async () => {
  const rows = await libsvmRows("iris.libsvm");
  expect(rows).toHaveLength(150);
  expect(rows[0]).toEqual({ label: 0, indices: [1, 2, 3, 4], values: [5.1, 3.5, 1.4, 0.2] });
  expect(rows[149]).toEqual({ label: 2, indices: [1, 2, 3, 4], values: [5.9, 3, 5.1, 1.8] });
  expect([0, 1, 2].map((kind) => rows.filter(({ label }) => label === kind).length)).toEqual([50, 50, 50]);
  expect(rows.flatMap(({ values }) => values).reduce((sum, value) => sum + value, 0)).toBeCloseTo(2_078.7, 6);
});

test("scikit-learn's libsvm with queries, small and large numbers", async () => {
  expect(await libsvmRows("queries.libsvm")).toEqual([
    { label: 1, queryId: 4, indices: [0], values: [1.5] },
    { label: 0, queryId: 4, indices: [1], values: [-2e-7] },
    { label: -1, queryId: 9, indices: [2], values: [3e20] },
  ]);
});

const recordsOf = async (bytes: Uint8Array): Promise<Uint8Array[]> =>
  (await Array.fromAsync(readTfRecords("examples.tfrecord", inChunks(bytes, 64)))).flat();

test("TensorFlow's TFRecord file is read record by record, and written again it is the same file", async () => {
  const file = fixture("examples.tfrecord");
  const records = await recordsOf(file);
  expect(records).toHaveLength(6);
  expect(records[5]).toHaveLength(0);
  expect(Buffer.concat(records.map(encodeTfRecord))).toEqual(file);
});

test("TensorFlow's examples have their bytes, floats and integers, and survive being written again", async () => {
  const records = (await recordsOf(fixture("examples.tfrecord"))).slice(0, 5);
  for (const [at, record] of records.entries()) {
    const example = decodeExample(record, "examples.tfrecord", at + 1);
    const image = Uint8Array.from(Array.from({ length: at }, () => [at, 255, 0]).flat());
    expect(new Map([...example].toSorted(([a], [b]) => (a < b ? -1 : 1)))).toEqual(
      new Map<string, unknown>([
        ["ids", { type: "int64", values: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n) }],
        ["image", { type: "bytes", values: [image] }],
        ["label", { type: "int64", values: BigInt64Array.of(BigInt(at - 2)) }],
        ["names", { type: "bytes", values: [new TextEncoder().encode("é"), new Uint8Array(0)] }],
        ["none", { type: "float", values: new Float32Array(0) }],
        ["weights", { type: "float", values: Float32Array.of(at / 2, -1.5, Infinity) }],
      ]),
    );
    expect(decodeExample(encodeExample(example), "again", 1)).toEqual(example);
  }
});

test.each(["examples.tfrecord", "examples.tfrecord.gz", "iris.libsvm"])(
  "what %s is, its bytes tell, and all of its records are counted",
  async (name) => {
    const bytes = fixture(name);
    const file = {
      source: "a",
      byteLength: bytes.length,
      stream: () => inChunks(bytes, 1_000),
      read: async (from: number, to: number) => bytes.subarray(from, to),
    };
    const summary = await inspectData(file, { firstRecords: 1, recordLimit: 1_000 });
    const isIris = name.startsWith("iris");
    expect(summary).toMatchObject({ isGzip: name.endsWith(".gz"), recordCount: isIris ? 150 : 6 });
    expect(summary.format.name).toBe(isIris ? "libsvm" : "tfrecord");
    expect(summary.columns.find((column) => column.name === "label")).toMatchObject({
      present: isIris ? 150 : 5,
      type: isIris ? expect.anything() : "integer",
    });
  },
);
