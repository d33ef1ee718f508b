// Reads CBOR (RFC 8949) as rpcv2Cbor uses it. Ours, because it reads the caller's bytes: no length is believed before the
// bytes are there, nesting is bounded, and a key is never a prototype. Writing is @smithy/core's.
import { maxDepth } from "./value-reader.ts";

class NotCbor extends Error {}

/** The one data item in the bytes; undefined if they are not exactly one well-formed item of the kinds that AWS uses. */
export function decodeCbor(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    const reader = new Reader(bytes);
    const value = reader.item(0);
    return reader.isAtEnd ? { value } : undefined;
  } catch (error) {
    if (error instanceof NotCbor) return undefined;
    throw error;
  }
}

const major = { unsigned: 0, negative: 1, bytes: 2, text: 3, list: 4, map: 5, tag: 6 } as const;
const indefinite = 31;
const breakByte = 0xff;
const epochSecondsTag = 1;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  item(depth: number): unknown {
    if (depth > maxDepth) throw new NotCbor();
    const first = this.#byte();
    const kind = first >> 5;
    const info = first & 0x1f;
    if (kind === major.unsigned) return this.#argument(info);
    if (kind === major.negative) return -1 - this.#argument(info);
    if (kind === major.bytes || kind === major.text) return this.#string(kind, info);
    if (kind === major.list) return this.#list(info, depth);
    if (kind === major.map) return this.#map(info, depth);
    return kind === major.tag ? this.#tagged(info, depth) : this.#simple(info);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new NotCbor();
    this.#at += 1;
    return byte;
  }

  /** Moves over the bytes and says where they start. */
  #skip(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw new NotCbor();
    this.#at += length;
    return start;
  }

  #argument(info: number): number {
    if (info < 24) return info;
    if (info === 24) return this.#byte();
    if (info === 25) return this.#view.getUint16(this.#skip(2));
    if (info === 26) return this.#view.getUint32(this.#skip(4));
    if (info === 27) return Number(this.#view.getBigUint64(this.#skip(8)));
    throw new NotCbor();
  }

  #string(kind: number, info: number): unknown {
    const bytes = info === indefinite ? this.#chunks(kind) : this.#chunk(info);
    if (kind === major.bytes) return bytes;
    try {
      return utf8.decode(bytes);
    } catch {
      throw new NotCbor(); // malformed UTF-8
    }
  }

  #chunk(info: number): Uint8Array {
    const length = this.#argument(info);
    const start = this.#skip(length);
    return this.#bytes.subarray(start, start + length);
  }

  #chunks(kind: number): Uint8Array {
    const chunks: Uint8Array[] = [];
    for (let first = this.#byte(); first !== breakByte; first = this.#byte()) {
      if (first >> 5 !== kind) throw new NotCbor();
      chunks.push(this.#chunk(first & 0x1f));
    }
    return Buffer.concat(chunks);
  }

  #list(info: number, depth: number): unknown[] {
    const list: unknown[] = [];
    this.#repeat(info, () => list.push(this.item(depth + 1)));
    return list;
  }

  #map(info: number, depth: number): Record<string, unknown> {
    const map: Record<string, unknown> = Object.create(null);
    this.#repeat(info, () => {
      const key = this.item(depth + 1);
      if (typeof key !== "string") throw new NotCbor();
      map[key] = this.item(depth + 1);
    });
    return map;
  }

  #repeat(info: number, each: () => void): void {
    if (info === indefinite) {
      while (this.#bytes[this.#at] !== breakByte) each();
      this.#at += 1;
      return;
    }
    const count = this.#argument(info);
    for (let i = 0; i < count; i += 1) each();
  }

  #tagged(info: number, depth: number): unknown {
    const tag = this.#argument(info);
    const value = this.item(depth + 1);
    if (tag !== epochSecondsTag) return value;
    if (typeof value !== "number") throw new NotCbor();
    return new Date(Math.round(value * 1000));
  }

  #simple(info: number): unknown {
    if (info === 20 || info === 21) return info === 21;
    if (info === 22 || info === 23) return null;
    if (info === 25) return halfFloat(this.#view.getUint16(this.#skip(2)));
    if (info === 26) return this.#view.getFloat32(this.#skip(4));
    if (info === 27) return this.#view.getFloat64(this.#skip(8));
    throw new NotCbor();
  }
}

/** RFC 8949, appendix D. */
function halfFloat(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  const magnitude =
    exponent === 0
      ? mantissa * 2 ** -24
      : exponent === 31
        ? mantissa === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : (mantissa + 1024) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}
