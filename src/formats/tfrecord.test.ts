import * as fc from "fast-check";
import { expect, test } from "vitest";
import { inChunks } from "./chunks.fake.ts";
import { FormatError } from "./format-error.ts";
import { encodeTfRecord, readTfRecords, startsLikeTfRecord, TfRecordSplitter } from "./tfrecord.ts";

const recordsOf = async (bytes: Uint8Array, size: number): Promise<Uint8Array[]> =>
  (await Array.fromAsync(readTfRecords("a.tfrecord", inChunks(bytes, size)))).flat();

const payloads = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 6 });
const fileOf = (records: readonly Uint8Array[]): Buffer => Buffer.concat(records.map(encodeTfRecord));

test("records survive a round trip, however the stream is cut", async () => {
  await fc.assert(
    fc.asyncProperty(payloads, fc.integer({ min: 1, max: 100 }), async (records, size) => {
      const read = await recordsOf(fileOf(records), size);
      expect(read.map((each) => [...each])).toEqual(records.map((each) => [...each]));
    }),
  );
});

test("a record carries the masked CRC-32C of its payload", () => {
  const framed = encodeTfRecord(new TextEncoder().encode("123456789"));
  const view = new DataView(framed.buffer);
  // CRC-32C of "123456789" is the published check value 0xe3069283; masked: rotated right by 15 bits, plus 0xa282ead8.
  const crc = 0xe3069283;
  expect(view.getUint32(21, true)).toBe((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  expect(view.getBigUint64(0, true)).toBe(9n);
  expect(framed).toHaveLength(12 + 9 + 4);
});

test("a file cut anywhere but between records is refused", async () => {
  const records = [Uint8Array.of(1, 2, 3), new Uint8Array(0), Uint8Array.of(4)];
  const file = fileOf(records);
  const ends = new Set([0, 19, 35, 52]);
  expect(file).toHaveLength(52);
  for (let length = 0; length <= file.length; length++) {
    const outcome = await recordsOf(file.subarray(0, length), 5).catch((error: unknown) => error);
    if (ends.has(length)) expect(outcome).toBeInstanceOf(Array);
    else expect(outcome).toBeInstanceOf(FormatError);
  }
});

test("every flipped bit is found, and the record named", async () => {
  const bit = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 7 }));
  await fc.assert(
    fc.asyncProperty(payloads, bit, async (records, [at, shift]) => {
      const file = fileOf(records);
      const place = at % file.length;
      file[place] = file[place]! ^ (1 << shift);
      await expect(recordsOf(file, 64)).rejects.toThrow(FormatError);
    }),
  );
});

test("damage is told with the record's number and where it begins", async () => {
  const file = fileOf([Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5)]);
  file[19 + 12] = 9;
  await expect(recordsOf(file, 100)).rejects.toThrow(
    /^a\.tfrecord: record 2: its data is damaged: the checksum says 0x[0-9a-f]{8}, the data 0x[0-9a-f]{8} \(at byte 19\)$/,
  );
});

test("a length over the limit is refused before anything is held for it", () => {
  const header = encodeTfRecord(new Uint8Array(5)).subarray(0, 12);
  expect(() => new TfRecordSplitter("a.tfrecord", 4).push(header)).toThrow(
    "its length of 5 bytes is over the limit of 4",
  );
});

test("the start of a file tells TFRecord from others", () => {
  expect(startsLikeTfRecord(encodeTfRecord(Uint8Array.of(1)))).toBe(true);
  expect(startsLikeTfRecord(new Uint8Array(12))).toBe(false);
  expect(startsLikeTfRecord(new TextEncoder().encode("1,2,3,4,5,6,7"))).toBe(false);
});
