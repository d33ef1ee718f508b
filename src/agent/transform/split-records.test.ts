import { Readable } from "node:stream";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { splitRecords, type SplitType } from "./split-records.ts";

const records = (chunks: readonly Uint8Array[], type: SplitType, most = 0): Promise<Buffer[]> =>
  Array.fromAsync(splitRecords(Readable.from(chunks), type, most));

/** The bytes in pieces, cut anywhere. */
const cut = (bytes: Buffer, at: readonly number[]): Buffer[] => {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return places.slice(1).map((to, index) => bytes.subarray(places[index], to));
};

const recordIo = (payload: Uint8Array): Buffer => {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0xced7230a, 0);
  head.writeUInt32LE(payload.length, 4);
  return Buffer.concat([head, payload, Buffer.alloc((4 - (payload.length % 4)) % 4)]);
};
const tfRecord = (payload: Uint8Array): Buffer => {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(payload.length), 0);
  return Buffer.concat([head, payload, Buffer.alloc(4)]);
};

const places = fc.array(fc.nat(), { maxLength: 6 });

test.each([
  ["RecordIO", recordIo],
  ["TFRecord", tfRecord],
] as const)("%s is split into its records, however it arrives, and each is as it stood", async (type, wrap) => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(payloads, places, async (each, at) => {
      const wrapped = each.map(wrap);
      expect(await records(cut(Buffer.concat(wrapped), at), type)).toEqual(wrapped);
    }),
  );
});

test("lines keep their ends, and joined again they are the object", async () => {
  const text = fc.string({ unit: fc.constantFrom("a", ",", "\n", "\r", "é"), maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(text, places, async (whole, at) => {
      const bytes = Buffer.from(whole);
      const lines = await records(cut(bytes, at), "Line");
      expect(Buffer.concat(lines)).toEqual(bytes);
      expect(lines).toHaveLength(whole.split("\n").length - (whole === "" || whole.endsWith("\n") ? 1 : 0));
    }),
  );
});

test("without a split the object is one record, and an empty object none", async () => {
  expect(await records([Buffer.from("a\n"), Buffer.from("b")], "None")).toEqual([Buffer.from("a\nb")]);
  for (const type of ["None", "Line", "RecordIO", "TFRecord"] as const) expect(await records([], type)).toEqual([]);
});

test("what is too long, cut off, or no such format at all is refused before it is held", async () => {
  await expect(records([Buffer.alloc(2_000, 97)], "Line", 1_000)).rejects.toThrow("larger than MaxPayloadInMB");
  await expect(records([Buffer.from("aaaa\nbb\n")], "Line", 4)).rejects.toThrow("larger than MaxPayloadInMB");
  await expect(records([Buffer.alloc(1_001)], "None", 1_000)).rejects.toThrow("larger than MaxPayloadInMB");
  const huge = recordIo(Buffer.alloc(1));
  huge.writeUInt32LE(0x1fff_ffff, 4);
  await expect(records([huge], "RecordIO", 1_000)).rejects.toThrow("larger than MaxPayloadInMB");
  await expect(records([recordIo(Buffer.alloc(9)).subarray(0, 12)], "RecordIO")).rejects.toThrow(
    "ends inside of a RecordIO",
  );
  await expect(records([Buffer.from("no magic at all")], "RecordIO")).rejects.toThrow("magic");
  await expect(records([Buffer.alloc(12, 255)], "TFRecord")).rejects.toThrow("impossible");
});

test("the parts of a record that MXNet has split stay together", async () => {
  const part = (flag: number): Buffer => {
    const bytes = recordIo(Buffer.from("abcd"));
    bytes.writeUInt32LE((flag << 29) | 4, 4);
    return bytes;
  };
  const split = Buffer.concat([part(1), part(2), part(3)]);
  expect(await records([Buffer.concat([split, recordIo(Buffer.from("x"))])], "RecordIO")).toEqual([
    split,
    recordIo(Buffer.from("x")),
  ]);
});
