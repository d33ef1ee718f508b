import { cbor, dateToTag } from "@smithy/core/cbor";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeCbor } from "./cbor.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

test("whatever the SDK's encoder writes is read back", () => {
  const leaf = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.integer(),
    fc.maxSafeInteger(),
    // The SDK's encoder writes -0 as the integer 0.
    fc.double({ noNaN: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
    fc.boolean(),
    fc.constant(null),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: "small" },
      leaf,
      fc.array(tie("tree"), { maxLength: 4 }),
      fc.dictionary(fc.string(), tie("tree"), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      // A dictionary may have "__proto__" as a key, which the SDK's encoder takes for what it is not.
      fc.pre(!JSON.stringify(value).includes("__proto__"));
      expect(decodeCbor(cbor.serialize(value))?.value).toEqual(value);
    }),
  );
});

test("examples of RFC 8949, appendix A", () => {
  expect(decodeCbor(bytes(0x1b, 0, 0, 0, 0xe8, 0xd4, 0xa5, 0x10, 0))?.value).toBe(1_000_000_000_000);
  expect(decodeCbor(bytes(0x39, 0x03, 0xe7))?.value).toBe(-1000);
  expect(decodeCbor(bytes(0xf9, 0x3e, 0))?.value).toBe(1.5);
  expect(decodeCbor(bytes(0xf9, 0x7c, 0))?.value).toBe(Number.POSITIVE_INFINITY);
  expect(decodeCbor(bytes(0xf9, 0xc4, 0))?.value).toBe(-4);
  expect(decodeCbor(bytes(0x5f, 0x42, 1, 2, 0x43, 3, 4, 5, 0xff))?.value).toEqual(Buffer.from([1, 2, 3, 4, 5]));
  expect(decodeCbor(bytes(0x7f, 0x65, 0x73, 0x74, 0x72, 0x65, 0x61, 0x64, 0x6d, 0x69, 0x6e, 0x67, 0xff))?.value).toBe(
    "streaming",
  );
  expect(decodeCbor(bytes(0x9f, 1, 0x82, 2, 3, 0xff))?.value).toEqual([1, [2, 3]]);
  expect(decodeCbor(bytes(0xbf, 0x61, 0x61, 1, 0xff))?.value).toEqual({ a: 1 });
  const date = new Date("2026-01-02T03:04:05.678Z");
  expect(decodeCbor(cbor.serialize(dateToTag(date)))?.value).toEqual(date);
});

test.each([
  ["nothing", []],
  ["a second item", [1, 1]],
  ["a list that promises 2^64 items", [0x9b, 255, 255, 255, 255, 255, 255, 255, 255]],
  ["a text that promises more than there is", [0x7a, 255, 255, 255, 255, 1]],
  ["nesting without end", Array.from({ length: 100_000 }, () => 0x81)],
  ["indefinite nesting without end", Array.from({ length: 100_000 }, () => 0x9f)],
  ["tags without end", Array.from({ length: 100_000 }, () => 0xc1)],
  ["a key that is no text", [0xa1, 1, 1]],
  ["text that is not UTF-8", [0x61, 0xff]],
  ["a break without a beginning", [0xff]],
])("%s is refused", (_what, values) => {
  expect(decodeCbor(Uint8Array.from(values))).toBeUndefined();
});

test("a key called __proto__ is a key", () => {
  const encoded = bytes(0xa1, 0x69, ...Buffer.from("__proto__"), 0xa1, 0x61, 0x61, 1);
  const { value } = decodeCbor(encoded) ?? {};
  expect(Object.keys(value as object)).toEqual(["__proto__"]);
});
