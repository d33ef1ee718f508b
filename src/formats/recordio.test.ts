import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FormatError } from "./format-error.ts";
import { encodeRecordIo, readRecordIo, RecordIoSplitter, startsLikeRecordIo } from "./recordio.ts";

const magicBytes = [0x0a, 0x23, 0xd7, 0xce];

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const recordsOf = async (bytes: Uint8Array, size: number): Promise<Uint8Array[]> =>
  (await Array.fromAsync(readRecordIo("a.rec", inChunks(bytes, size)))).flat();

/** Payloads that often contain the magic, aligned or not. */
const payload = fc
  .array(fc.oneof(fc.constant(magicBytes), fc.array(fc.nat(255), { maxLength: 9 })), { maxLength: 6 })
  .map((parts) => Uint8Array.from(parts.flat()));

test("records survive a round trip in both variants, however the stream is cut", async () => {
  const variant = fc.constantFrom("sagemaker" as const, "mxnet" as const);
  await fc.assert(
    fc.asyncProperty(
      fc.array(payload, { maxLength: 5 }),
      variant,
      fc.integer({ min: 1, max: 40 }),
      async (payloads, variant, size) => {
        const file = Buffer.concat(payloads.map((each) => encodeRecordIo(each, variant)));
        expect((await recordsOf(file, size)).map((each) => [...each])).toEqual(payloads.map((each) => [...each]));
      },
    ),
  );
});

test("MXNet's variant never leaves an aligned magic inside a payload", () => {
  const framed = encodeRecordIo(Uint8Array.from([...magicBytes, 1, 2, 3, 4]), "mxnet");
  const view = new DataView(framed.buffer);
  expect(view.getUint32(4, true) >>> 29).toBe(1);
  expect(view.getUint32(12, true) >>> 29).toBe(3);
});

test("arbitrary bytes end in records or a FormatError, never in anything else", async () => {
  const start = fc.constantFrom([], magicBytes);
  await fc.assert(
    fc.asyncProperty(
      start,
      fc.uint8Array({ maxLength: 64 }),
      fc.integer({ min: 1, max: 16 }),
      async (start, bytes, size) => {
        const outcome = await recordsOf(Uint8Array.from([...start, ...bytes]), size).catch((error: unknown) => error);
        expect(Array.isArray(outcome) || outcome instanceof FormatError).toBe(true);
      },
    ),
  );
});

test("a file that ends inside a record says so, with the file and the record's number", async () => {
  const file = Buffer.concat([encodeRecordIo(new Uint8Array(8)), encodeRecordIo(new Uint8Array(8)).subarray(0, 12)]);
  await expect(recordsOf(file, 5)).rejects.toThrow(
    "a.rec: record 2: the file ends inside the record (4 bytes missing)",
  );
});

test("a file without the magic says what it found", async () => {
  await expect(recordsOf(new TextEncoder().encode("1,2,3,4,5"), 100)).rejects.toThrow(
    "a.rec: record 1: expected the RecordIO magic 0xced7230a, found 0x2c322c31",
  );
  expect(startsLikeRecordIo(new TextEncoder().encode("1,2,3"))).toBe(false);
});

test("a record over the limit is refused before it is held", () => {
  const splitter = new RecordIoSplitter("a.rec", 4);
  expect(() => splitter.push(encodeRecordIo(new Uint8Array(5)))).toThrow("over the limit of 4");
});

test.each(["sagemaker", "mxnet"] as const)("a %s file cut anywhere but between records is refused", async (variant) => {
  const payloads = [Uint8Array.of(1, 2, 3), new Uint8Array(0), Uint8Array.from([5, 6, 7, 8, ...magicBytes, 9])];
  const framed = payloads.map((each) => encodeRecordIo(each, variant));
  const file = Buffer.concat(framed);
  let end = 0;
  const ends = new Set([0, ...framed.map(({ length }) => (end += length))]);
  for (let length = 0; length <= file.length; length++) {
    const outcome = await recordsOf(file.subarray(0, length), 5).catch((error: unknown) => error);
    if (ends.has(length)) expect(outcome).toBeInstanceOf(Array);
    else expect(outcome).toBeInstanceOf(FormatError);
  }
});

test("a flipped bit of a header is told with the byte at which its record begins", async () => {
  const file = Buffer.concat([encodeRecordIo(new Uint8Array(8)), encodeRecordIo(new Uint8Array(8))]);
  file[16] = file[16]! ^ 0x40;
  await expect(recordsOf(file, 7)).rejects.toThrow(
    "a.rec: record 2: expected the RecordIO magic 0xced7230a, found 0xced7234a (at byte 16)",
  );
});
