// An object's bytes as the records of batch transform, each exactly as it stands in the object: joined again they are the object.
import { PendingBytes } from "../../formats/pending-bytes.ts";
import { longestRecordBytes, recordMagic } from "../../formats/recordio.ts";
import { StageError } from "../planned-path.ts";

export type SplitType = "None" | "Line" | "RecordIO" | "TFRecord";

/** A record that is longer than any payload may be. */
export class RecordTooLongError extends StageError {}

const newline = 10;
const headerBytes = 8;

/** How long the record at the start of the bytes is; undefined: more bytes are needed to tell. */
type Measure = (bytes: Buffer) => number | undefined;

const line: Measure = (bytes) => {
  const at = bytes.indexOf(newline);
  return at < 0 ? undefined : at + 1;
};

/** Parts of a record that MXNet has split stay together (dmlc-core recordio.h). */
const recordIo: Measure = (bytes) => {
  for (let at = 0; ;) {
    if (bytes.length < at + headerBytes) return undefined;
    if (bytes.readUInt32LE(at) !== recordMagic) throw new StageError("it is no RecordIO: a record's magic is wrong");
    const head = bytes.readUInt32LE(at + 4);
    at += headerBytes + Math.ceil((head & longestRecordBytes) / 4) * 4;
    const flag = head >>> 29;
    if (flag === 0 || flag === 3) return at;
  }
};

const tfRecord: Measure = (bytes) => {
  if (bytes.length < 12) return undefined;
  const length = bytes.readBigUInt64LE(0);
  if (length > BigInt(longestRecordBytes)) throw new StageError("it is no TFRecord: a record's length is impossible");
  return Number(length) + 16;
};

const measures: Readonly<Record<Exclude<SplitType, "None">, Measure>> = {
  Line: line,
  RecordIO: recordIo,
  TFRecord: tfRecord,
};

const tooLong = (most: number): RecordTooLongError =>
  new RecordTooLongError(`a record is larger than MaxPayloadInMB (${most / 1_048_576} MB)`);

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

class RecordSplitter {
  readonly #measure: Measure | undefined;
  readonly #most: number;
  readonly #kept = new PendingBytes();
  /** Of the record at hand, once its length is known: until then every chunk is looked at. */
  #needed: number | undefined;

  constructor(type: SplitType, maxBytes: number) {
    this.#measure = type === "None" ? undefined : measures[type];
    this.#most = maxBytes === 0 ? Number.POSITIVE_INFINITY : maxBytes;
  }

  /** The records completed by this chunk. */
  push(chunk: Uint8Array): Buffer[] {
    const isCut = this.#measure !== undefined;
    const bytes = this.#kept.push(chunk, isCut ? (this.#needed ?? 1) : Number.POSITIVE_INFINITY);
    const records = this.#measure && bytes ? this.#cut(bytes, this.#measure) : [];
    if (Math.max(this.#kept.length, this.#needed ?? 0, ...records.map(({ length }) => length)) > this.#most)
      throw tooLong(this.#most);
    return records;
  }

  /** What is left at the end. */
  rest(): Buffer | undefined {
    return this.#kept.length === 0 ? undefined : asBuffer(this.#kept.all());
  }

  #cut(bytes: Uint8Array, measure: Measure): Buffer[] {
    const records: Buffer[] = [];
    let rest = asBuffer(bytes);
    while (rest.length > 0) {
      this.#needed = measure(rest);
      if (this.#needed === undefined || this.#needed > rest.length) break;
      records.push(rest.subarray(0, this.#needed));
      rest = rest.subarray(this.#needed);
      this.#needed = undefined;
    }
    this.#kept.drop(bytes.length - rest.length);
    return records;
  }
}

/** Holds at most one record besides a chunk, and never more than `maxBytes` (0: no limit) of one. */
export async function* splitRecords(
  source: AsyncIterable<Uint8Array>,
  type: SplitType,
  maxBytes: number,
): AsyncGenerator<Buffer> {
  const splitter = new RecordSplitter(type, maxBytes);
  for await (const chunk of source) yield* splitter.push(chunk);
  const rest = splitter.rest();
  if (!rest) return;
  if (type === "RecordIO" || type === "TFRecord") throw new StageError(`it ends inside of a ${type} record`);
  yield rest;
}
