// MXNet's NDArray list file, the layout that mx.nd.save writes and mx.nd.load reads (apache/mxnet src/ndarray/ndarray.cc).
//
//   uint64 0x112, uint64 0, uint64 array count, arrays, uint64 name count, names (uint64 length, bytes)
//   array: uint32 0xF993FAC9 (version 2), int32 storage type (0 dense), uint32 dimensions, int64 each, int32 device type
//          (1 cpu), int32 device, int32 element type (0 float32, 1 float64, 4 int32, 6 int64), elements; all little-endian.
import { FormatError } from "./format-error.ts";

const listMagic = 0x112;
const version1 = 0xf993fac8;
const version2 = 0xf993fac9;
const version3 = 0xf993faca;
const cpu = 1;
const float32 = 0;

export interface NdArray {
  readonly shape: readonly number[];
  /** Elements in row-major order. */
  readonly values: Float32Array;
}

/** As mx.nd.load: names are present when the file was saved from a dictionary. */
export interface NdArrayFile {
  readonly arrays: readonly NdArray[];
  readonly names: readonly string[];
}

/** The file's bytes, version 2, float32. `names` is empty for a list. */
export function encodeNdArrays(arrays: readonly NdArray[], names: readonly string[] = []): Uint8Array {
  const nameBytes = names.map((name) => new TextEncoder().encode(name));
  const arrayBytes = arrays.reduce((sum, { shape, values }) => sum + 24 + 8 * shape.length + values.byteLength, 0);
  const out = new Uint8Array(32 + arrayBytes + nameBytes.reduce((sum, name) => sum + 8 + name.length, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  const uint32 = (value: number): void => {
    view.setUint32(at, value, true);
    at += 4;
  };
  const uint64 = (value: number): void => {
    view.setBigUint64(at, BigInt(value), true);
    at += 8;
  };
  [listMagic, 0, arrays.length].forEach(uint64);
  for (const { shape, values } of arrays) {
    [version2, 0, shape.length].forEach(uint32);
    shape.forEach(uint64);
    [cpu, 0, float32].forEach(uint32);
    for (const value of values) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  }
  uint64(names.length);
  for (const name of nameBytes) {
    uint64(name.length);
    out.set(name, at);
    at += name.length;
  }
  return out;
}

class NdArrayReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #source: string;
  #at = 0;

  constructor(bytes: Uint8Array, source: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#source = source;
  }

  file(): NdArrayFile {
    if (this.#uint64() !== listMagic) throw this.#wrong("not an MXNet NDArray file");
    this.#uint64();
    const arrays = this.#list(() => this.#array());
    const names = this.#list(() => new TextDecoder().decode(this.#take(this.#uint64())));
    return { arrays, names };
  }

  #list<T>(read: () => T): T[] {
    const count = this.#uint64();
    // Every element takes at least four bytes, so a count beyond that is nonsense and must not allocate.
    if (count > this.#bytes.length / 4) throw this.#wrong(`a list of ${count} entries`);
    return Array.from({ length: count }, read);
  }

  #array(): NdArray {
    const shape = this.#shape();
    if (shape.length === 0) return { shape, values: new Float32Array(0) };
    this.#take(8); // device type and number
    const type = this.#uint32();
    const count = shape.reduce((product, side) => product * side, 1);
    return { shape, values: this.#elements(type, count) };
  }

  #shape(): number[] {
    const first = this.#uint32();
    if (first === version2 || first === version3) {
      const storage = this.#uint32();
      if (storage !== 0) throw this.#wrong("sparse arrays are not supported");
    }
    const isVersioned = first === version1 || first === version2 || first === version3;
    const dimensions = isVersioned ? this.#uint32() : first;
    if (dimensions > 32) throw this.#wrong(`an array of ${dimensions} dimensions`);
    return Array.from({ length: dimensions }, () => (isVersioned ? this.#uint64() : this.#uint32()));
  }

  #elements(type: number, count: number): Float32Array {
    const readers: Readonly<Record<number, readonly [number, (at: number) => number]>> = {
      0: [4, (at) => this.#view.getFloat32(at, true)],
      1: [8, (at) => this.#view.getFloat64(at, true)],
      4: [4, (at) => this.#view.getInt32(at, true)],
      6: [8, (at) => Number(this.#view.getBigInt64(at, true))],
    };
    const reader = readers[type];
    if (!reader) throw this.#wrong(`element type ${type} is not supported`);
    const [size, read] = reader;
    const from = this.#at;
    this.#take(size * count);
    return Float32Array.from({ length: count }, (_, index) => read(from + index * size));
  }

  #uint32(): number {
    this.#take(4);
    return this.#view.getUint32(this.#at - 4, true);
  }

  #uint64(): number {
    this.#take(8);
    const value = Number(this.#view.getBigUint64(this.#at - 8, true));
    if (!Number.isSafeInteger(value)) throw this.#wrong("a number over 2^53");
    return value;
  }

  #take(count: number): Uint8Array {
    if (count > this.#bytes.length - this.#at) throw this.#wrong("the file ends early");
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  #wrong(problem: string): FormatError {
    return new FormatError(this.#source, undefined, problem);
  }
}

/** Reads versions 0 to 3, dense, any of float32, float64, int32, int64 elements. Throws FormatError. */
export const decodeNdArrays = (bytes: Uint8Array, source: string): NdArrayFile =>
  new NdArrayReader(bytes, source).file();
