import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FormatError } from "./format-error.ts";
import { decodeExample, encodeExample, type Feature } from "./tf-example.ts";

const feature: fc.Arbitrary<Feature> = fc.oneof(
  fc.array(fc.uint8Array({ maxLength: 8 })).map((values) => ({ type: "bytes" as const, values })),
  fc.float32Array().map((values) => ({ type: "float" as const, values })),
  fc.bigInt64Array().map((values) => ({ type: "int64" as const, values })),
);
const example = fc.array(fc.tuple(fc.string(), feature), { maxLength: 4 }).map((entries) => new Map(entries));

test("every example survives a round trip", () => {
  fc.assert(
    fc.property(example, (example) => {
      expect(decodeExample(encodeExample(example), "e", 1)).toEqual(example);
    }),
  );
});

test("cut, damaged and arbitrary bytes end in an example or a FormatError", () => {
  const damaged = fc.tuple(example, fc.nat(), fc.nat(255)).map(([example, at, byte]) => {
    const bytes = encodeExample(example);
    bytes[at % bytes.length] = byte;
    return bytes;
  });
  const cut = fc.tuple(example, fc.nat()).map(([example, at]) => {
    const bytes = encodeExample(example);
    return bytes.subarray(0, at % bytes.length);
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), damaged, cut), (bytes) => {
      try {
        decodeExample(bytes, "e", 1);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }),
  );
});

test("the bytes are those of TensorFlow's own protobuf", () => {
  // features { feature { key: "a" value { int64_list { value: [3, -1] } } } }
  const negative = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
  const list = [0x0a, 11, 3, ...negative];
  const value = [0x1a, list.length, ...list];
  const entry = [0x0a, 1, 0x61, 0x12, value.length, ...value];
  const features = [0x0a, entry.length, ...entry];
  const bytes = Uint8Array.from([0x0a, features.length, ...features]);
  const example = new Map([["a", { type: "int64" as const, values: BigInt64Array.of(3n, -1n) }]]);
  expect(encodeExample(example)).toEqual(bytes);
  expect(decodeExample(bytes, "e", 1)).toEqual(example);
});

test("numbers with a tag each, as an old writer leaves them, are read as well", () => {
  const floats = [0x0d, 0, 0, 0xc0, 0x3f, 0x0d, 0, 0, 0, 0xc0];
  const value = [0x12, floats.length, ...floats];
  const entry = [0x0a, 1, 0x61, 0x12, value.length, ...value];
  const bytes = Uint8Array.from([0x0a, entry.length + 2, 0x0a, entry.length, ...entry]);
  expect(decodeExample(bytes, "e", 1).get("a")).toEqual({ type: "float", values: Float32Array.of(1.5, -2) });
});
