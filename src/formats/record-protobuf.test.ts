import { existsSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FormatError } from "./format-error.ts";
import { RecordIoSplitter } from "./recordio.ts";
import { type DataRecord, decodeRecord, encodeRecord, type Tensor } from "./record-protobuf.ts";

const coordinates = fc.record(
  { keys: fc.array(fc.maxSafeNat()), shape: fc.array(fc.maxSafeNat()) },
  { requiredKeys: [] },
);
const tensor: fc.Arbitrary<Tensor> = fc.oneof(
  fc.tuple(fc.float32Array(), coordinates).map(([values, rest]) => ({ type: "float32" as const, values, ...rest })),
  fc.tuple(fc.float64Array(), coordinates).map(([values, rest]) => ({ type: "float64" as const, values, ...rest })),
  fc.tuple(fc.int32Array(), coordinates).map(([values, rest]) => ({ type: "int32" as const, values, ...rest })),
  fc
    .record({ values: fc.array(fc.uint8Array()), contentType: fc.string() }, { requiredKeys: ["values"] })
    .map((bytes) => ({ type: "bytes" as const, ...bytes })),
);
const tensors = fc.array(fc.tuple(fc.string(), tensor), { maxLength: 3 }).map((entries) => new Map(entries));
const record: fc.Arbitrary<DataRecord> = fc.record(
  { features: tensors, label: tensors, uid: fc.string(), metadata: fc.string(), configuration: fc.string() },
  { requiredKeys: ["features", "label"] },
);

test("every record survives a round trip", () => {
  fc.assert(
    fc.property(record, (record) => {
      expect(decodeRecord(encodeRecord(record), "r", 1)).toEqual(record);
    }),
  );
});

test("arbitrary, cut and damaged bytes end in a record or a FormatError", () => {
  const damaged = fc.tuple(record, fc.nat(), fc.nat(255)).map(([record, at, byte]) => {
    const bytes = encodeRecord(record);
    if (bytes.length > 0) bytes[at % bytes.length] = byte;
    return bytes;
  });
  const cut = fc.tuple(record, fc.nat()).map(([record, at]) => {
    const bytes = encodeRecord(record);
    return bytes.subarray(0, at % (bytes.length + 1));
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), damaged, cut), (bytes) => {
      try {
        decodeRecord(bytes, "r", 1);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }),
  );
});

test("unpacked values, as an old writer leaves them, are read as well", () => {
  // features { key: "values", value { float32_tensor { values: 1.5 values: -2 } } }, each value with a tag of its own
  const floats = [0x0d, 0, 0, 0xc0, 0x3f, 0x0d, 0, 0, 0, 0xc0];
  const value = [0x12, floats.length, ...floats];
  const entry = [0x0a, 6, ...new TextEncoder().encode("values"), 0x12, value.length, ...value];
  const decoded = decodeRecord(Uint8Array.from([0x0a, entry.length, ...entry]), "r", 1);
  expect(decoded.features.get("values")).toEqual({ type: "float32", values: Float32Array.from([1.5, -2]) });
});

const fixtures = new URL("../../../shared/data/fixtures/", import.meta.url);
const withFixtures = test.skipIf(!existsSync(fixtures));

function decodeFile(name: string): DataRecord[] {
  const splitter = new RecordIoSplitter(name);
  const records = splitter.push(readFileSync(new URL(name, fixtures)));
  splitter.end();
  return records.map((bytes, index) => decodeRecord(bytes, name, index + 1));
}

withFixtures("the SDK's dense fixtures hold 100 rows of 784, with and without labels (needs ../shared/data)", () => {
  const labelled = decodeFile("dummy_tensor.pbr");
  expect(labelled).toHaveLength(100);
  expect(labelled[0]!.features.get("values")).toMatchObject({ type: "float32" });
  expect(labelled[0]!.features.get("values")!.values).toHaveLength(784);
  expect(labelled[0]!.label.get("values")!.values).toHaveLength(1);
  const unlabelled = decodeFile("matrix_0.pbr");
  expect(unlabelled).toHaveLength(100);
  expect(unlabelled.every((each) => each.label.size === 0)).toBe(true);
});

withFixtures("the SDK's sparse fixture holds 350 documents over 12,419 words (needs ../shared/data)", () => {
  const documents = decodeFile("nips-train_1.pbr");
  expect(documents).toHaveLength(350);
  for (const document of documents) {
    const words = document.features.get("values");
    if (!words || words.type === "bytes") throw new Error("no words");
    expect(words.shape).toEqual([12_419]);
    expect(words.keys).toHaveLength(words.values.length);
  }
});

withFixtures("a frame whose payload is no record is refused with its number (needs ../shared/data)", () => {
  expect(() => decodeFile("mnist_first_10_rows.recordio")).toThrow(
    /^mnist_first_10_rows.recordio: record 1: not a protobuf record: /,
  );
});
