import * as fc from "fast-check";
import { expect, test } from "vitest";
import { detectFormat } from "./detect-format.ts";
import { FormatError } from "./format-error.ts";
import { encodeRecord } from "./record-protobuf.ts";
import { encodeRecordIo } from "./recordio.ts";
import { encodeExample } from "./tf-example.ts";
import { encodeTfRecord } from "./tfrecord.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const detect = (start: Uint8Array | string) => detectFormat("a", typeof start === "string" ? bytes(start) : start);

const record = encodeRecord({ features: new Map([["values", { type: "float32", values: Float32Array.of(1) }]]) });
const example = encodeExample(new Map([["x", { type: "float", values: Float32Array.of(1) }]]));

test("framed records are told from each other, and what they hold", () => {
  expect(detect(encodeRecordIo(record))).toEqual({ name: "recordio", isRecordProtobuf: true });
  expect(detect(encodeRecordIo(bytes("hello")))).toEqual({ name: "recordio", isRecordProtobuf: false });
  expect(detect(encodeTfRecord(example))).toEqual({ name: "tfrecord", isExample: true });
  expect(detect(encodeTfRecord(bytes("hello")))).toEqual({ name: "tfrecord", isExample: false });
});

test("damage behind the first record does not hide the format", () => {
  expect(detect(Buffer.concat([encodeRecordIo(record), bytes("rubbish!")]))).toEqual({
    name: "recordio",
    isRecordProtobuf: true,
  });
  expect(detect(Buffer.concat([encodeTfRecord(example), new Uint8Array(20)]))).toEqual({
    name: "tfrecord",
    isExample: true,
  });
});

test.each([
  ["1,2,3\n4,5,6\n", { name: "csv", delimiter: "," }],
  ["a;b\n1,5;2\n3;4\n5;6\n", { name: "csv", delimiter: ";" }],
  ['"a|b"|c\n1|2\n3|4\n', { name: "csv", delimiter: "|" }],
  ["word\nother\n", { name: "csv", delimiter: "," }],
  ["1 3:0.5 7:1\n0 1:2\n", { name: "libsvm" }],
  ["-1:0.5 qid:3 3:0.5 # x\n", { name: "libsvm" }],
  ['{"a":1}\n{"a":2}\n', { name: "json-lines" }],
  ["[1,2]\n[3,4]\n", { name: "json-lines" }],
] as const)("text %j is taken for what it is", (text, format) => {
  expect(detect(text)).toEqual(format);
});

test("what is no data file is named", () => {
  expect(() => detect("")).toThrow("a: the file is empty");
  expect(() => detect(Uint8Array.of(0x89, 0x50, 0x4e, 0x47))).toThrow("this is a PNG image");
  expect(() => detect('{\n  "a": 1\n}\n')).toThrow("one JSON document over several lines");
  expect(() => detect(Uint8Array.of(0, 1, 2, 3))).toThrow("unknown format: it begins with 00 01 02 03");
});

test("arbitrary bytes end in a format or a FormatError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (start) => {
      try {
        expect(detect(start).name).toBeTypeOf("string");
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }),
  );
});
