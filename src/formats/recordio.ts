// RecordIO framing: magic, length, payload, zero padding to four bytes. SageMaker's variant writes each payload whole;
// MXNet's (dmlc-core recordio.h) splits a payload where it contains the magic, and marks the parts in the length's top bits.
import { FormatError } from "./format-error.ts";
import { PendingBytes } from "./pending-bytes.ts";

/** How every record begins. */
export const recordMagic = 0xced7230a;
const headerBytes = 8;
const lengthMask = 0x1fff_ffff;

/** Three bits of a record's length are flags. */
export const longestRecordBytes = lengthMask;

/** What stands before the payload of a record that is whole. */
export function recordHeader(length: number): Uint8Array {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(recordMagic, 0);
  header.writeUInt32LE(length, 4);
  return header;
}

/** What stands behind it: zeros to four bytes, or nothing. */
export const recordPadding = (length: number): readonly Uint8Array[] =>
  length % 4 === 0 ? [] : [Buffer.alloc(4 - (length % 4))];

const wholeRecord = 0;
const firstPart = 1;
const middlePart = 2;
const lastPart = 3;

const magicBytes = new Uint8Array([0x0a, 0x23, 0xd7, 0xce]);

/** True when the bytes begin like a RecordIO file. */
export const startsLikeRecordIo = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && magicBytes.every((byte, at) => bytes[at] === byte);

function concat(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Splits a byte stream, fed chunk by chunk, into records. Holds at most one incomplete record. */
export class RecordIoSplitter {
  readonly #source: string;
  readonly #maxRecordBytes: number;
  readonly #pending = new PendingBytes();
  #neededBytes = headerBytes;
  #parts: Uint8Array[] = [];
  #records = 0;
  /** Bytes that were split already; with #recordAt, where the record at hand begins. */
  #doneBytes = 0;
  #recordAt = 0;

  constructor(source: string, maxRecordBytes: number = lengthMask) {
    this.#source = source;
    this.#maxRecordBytes = maxRecordBytes;
  }

  /** The records completed by this chunk, as views into it where possible. */
  push(chunk: Uint8Array): Uint8Array[] {
    if (chunk.length === 0) return [];
    const bytes = this.#pending.push(chunk, this.#neededBytes);
    if (!bytes) return [];
    const records: Uint8Array[] = [];
    const rest = this.#split(bytes, records);
    this.#pending.drop(rest);
    this.#doneBytes += rest;
    return records;
  }

  /** Throws when the stream ended inside a record. */
  end(): void {
    if (this.#pending.length > 0) {
      throw this.#wrong(`the file ends inside the record (${this.#neededBytes - this.#pending.length} bytes missing)`);
    }
    if (this.#parts.length > 0) throw this.#wrong("the file ends inside a record of several parts");
  }

  #split(bytes: Uint8Array, records: Uint8Array[]): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    for (;;) {
      this.#neededBytes = headerBytes;
      this.#recordAt = this.#doneBytes + at;
      if (bytes.length - at < headerBytes) return at;
      if (view.getUint32(at, true) !== recordMagic) {
        throw this.#wrong(`expected the RecordIO magic 0xced7230a, found 0x${view.getUint32(at, true).toString(16)}`);
      }
      const word = view.getUint32(at + 4, true);
      const length = word & lengthMask;
      if (length > this.#maxRecordBytes) {
        throw this.#wrong(`its length of ${length} bytes is over the limit of ${this.#maxRecordBytes}`);
      }
      this.#neededBytes = headerBytes + Math.ceil(length / 4) * 4;
      if (bytes.length - at < this.#neededBytes) return at;
      this.#take(word >>> 29, bytes.subarray(at + headerBytes, at + headerBytes + length), records);
      at += this.#neededBytes;
    }
  }

  #take(flag: number, payload: Uint8Array, records: Uint8Array[]): void {
    const inside = this.#parts.length > 0;
    if (flag > lastPart) throw this.#wrong(`unknown part flag ${flag}`);
    if (inside !== (flag === middlePart || flag === lastPart)) {
      throw this.#wrong(
        inside ? "a new record starts before the last part of this one" : `part flag ${flag} without a first part`,
      );
    }
    if (flag === wholeRecord) {
      records.push(payload);
      this.#records++;
      return;
    }
    if (flag !== firstPart) this.#parts.push(magicBytes);
    this.#parts.push(payload);
    if (flag !== lastPart) return;
    records.push(concat(this.#parts));
    this.#parts = [];
    this.#records++;
  }

  #wrong(problem: string): FormatError {
    return new FormatError(this.#source, this.#records + 1, problem, "record", this.#recordAt);
  }
}

/** The records of a RecordIO stream, as many at a time as a chunk completes. */
export async function* readRecordIo(source: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array[]> {
  const splitter = new RecordIoSplitter(source);
  for await (const chunk of chunks) {
    const records = splitter.push(chunk);
    if (records.length > 0) yield records;
  }
  splitter.end();
}

function frame(flag: number, payload: Uint8Array): Uint8Array {
  const framed = new Uint8Array(headerBytes + Math.ceil(payload.length / 4) * 4);
  const view = new DataView(framed.buffer);
  view.setUint32(0, recordMagic, true);
  view.setUint32(4, ((flag << 29) | payload.length) >>> 0, true);
  framed.set(payload, headerBytes);
  return framed;
}

/** Where MXNet splits: every aligned magic inside the payload, which is left out and put back by the reader. */
function splitAtMagic(payload: Uint8Array): Uint8Array[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const parts: Uint8Array[] = [];
  let from = 0;
  for (let at = 0; at + 4 <= payload.length; at += 4) {
    if (view.getUint32(at, true) !== recordMagic) continue;
    parts.push(payload.subarray(from, at));
    from = at + 4;
  }
  parts.push(payload.subarray(from));
  return parts;
}

/** One framed record. Throws RangeError over 2^29 - 1 bytes, the format's limit. */
export function encodeRecordIo(payload: Uint8Array, variant: "sagemaker" | "mxnet" = "sagemaker"): Uint8Array {
  if (payload.length > lengthMask) throw new RangeError(`a RecordIO record holds at most ${lengthMask} bytes`);
  const parts = variant === "mxnet" ? splitAtMagic(payload) : [payload];
  if (parts.length === 1) return frame(wholeRecord, payload);
  const flag = (index: number): number =>
    index === 0 ? firstPart : index === parts.length - 1 ? lastPart : middlePart;
  return concat(parts.map((part, index) => frame(flag(index), part)));
}
