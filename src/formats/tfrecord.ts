// TFRecord framing: length (uint64), its masked CRC-32C, payload, the payload's masked CRC-32C, all little-endian.
// https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
import { crc32c } from "../lib/crc32c.ts";
import { FormatError } from "./format-error.ts";
import { PendingBytes } from "./pending-bytes.ts";

const headerBytes = 12;
const footerBytes = 4;

/** Longer payloads are refused unless the caller says otherwise: the length field could ask for anything. */
const largestPayloadBytes = 2 ** 30;

/** A rotated CRC plus a constant, so that a CRC over bytes that hold CRCs means something. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes, 0);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** True when the bytes begin with a length and the checksum of that length. */
export const startsLikeTfRecord = (bytes: Uint8Array): boolean =>
  bytes.length >= headerBytes && viewOf(bytes).getUint32(8, true) === maskedCrc(bytes.subarray(0, 8));

const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

/** Splits a byte stream, fed chunk by chunk, into payloads. Holds at most one incomplete record. */
export class TfRecordSplitter {
  readonly #source: string;
  readonly #maxPayloadBytes: number;
  readonly #pending = new PendingBytes();
  #neededBytes = headerBytes;
  #records = 0;
  /** Where the record at hand begins. */
  #offset = 0;

  constructor(source: string, maxPayloadBytes: number = largestPayloadBytes) {
    this.#source = source;
    this.#maxPayloadBytes = maxPayloadBytes;
  }

  /** The payloads completed by this chunk, as views into it where possible; both checksums were checked. */
  push(chunk: Uint8Array): Uint8Array[] {
    if (chunk.length === 0) return [];
    const bytes = this.#pending.push(chunk, this.#neededBytes);
    if (!bytes) return [];
    const payloads: Uint8Array[] = [];
    const rest = this.#split(bytes, payloads);
    this.#pending.drop(rest);
    return payloads;
  }

  /** Throws when the stream ended inside a record. */
  end(): void {
    if (this.#pending.length === 0) return;
    throw this.#wrong(`the file ends inside the record (${this.#neededBytes - this.#pending.length} bytes missing)`);
  }

  #split(bytes: Uint8Array, payloads: Uint8Array[]): number {
    const view = viewOf(bytes);
    let at = 0;
    for (;;) {
      this.#neededBytes = headerBytes;
      if (bytes.length - at < headerBytes) return at;
      const length = this.#length(bytes, view, at);
      this.#neededBytes = headerBytes + length + footerBytes;
      if (bytes.length - at < this.#neededBytes) return at;
      const payload = bytes.subarray(at + headerBytes, at + headerBytes + length);
      const [stored, counted] = [view.getUint32(at + headerBytes + length, true), maskedCrc(payload)];
      if (stored !== counted) {
        throw this.#wrong(`its data is damaged: the checksum says ${hex(stored)}, the data ${hex(counted)}`);
      }
      payloads.push(payload);
      this.#records++;
      at += this.#neededBytes;
      this.#offset += this.#neededBytes;
    }
  }

  #length(bytes: Uint8Array, view: DataView, at: number): number {
    if (view.getUint32(at + 8, true) !== maskedCrc(bytes.subarray(at, at + 8))) {
      throw this.#wrong(
        this.#records === 0
          ? "not a TFRecord file: it does not begin with a length and its checksum"
          : "its length is damaged: the length's checksum does not fit",
      );
    }
    const length = view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
    if (length > this.#maxPayloadBytes) {
      throw this.#wrong(`its length of ${length} bytes is over the limit of ${this.#maxPayloadBytes}`);
    }
    return length;
  }

  #wrong(problem: string): FormatError {
    return new FormatError(this.#source, this.#records + 1, problem, "record", this.#offset);
  }
}

/** The payloads of a TFRecord stream, as many at a time as a chunk completes. */
export async function* readTfRecords(source: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array[]> {
  const splitter = new TfRecordSplitter(source);
  for await (const chunk of chunks) {
    const payloads = splitter.push(chunk);
    if (payloads.length > 0) yield payloads;
  }
  splitter.end();
}

/** One framed record. */
export function encodeTfRecord(payload: Uint8Array): Uint8Array {
  const framed = new Uint8Array(headerBytes + payload.length + footerBytes);
  const view = new DataView(framed.buffer);
  view.setUint32(0, payload.length % 2 ** 32, true);
  view.setUint32(4, Math.floor(payload.length / 2 ** 32), true);
  view.setUint32(8, maskedCrc(framed.subarray(0, 8)), true);
  framed.set(payload, headerBytes);
  view.setUint32(headerBytes + payload.length, maskedCrc(payload), true);
  return framed;
}
