// The protobuf wire format, as far as a record needs it: varints, fixed words, length-delimited fields.
// https://protobuf.dev/programming-guides/encoding/

export const wire = { varint: 0, fixed64: 1, delimited: 2, fixed32: 5 } as const;

/** Malformed protobuf; the reader of the file turns it into a FormatError with the record's number. */
export class ProtobufError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ProtobufError";
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** A cursor over one message. Every method throws ProtobufError where the bytes end early or make no sense. */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, from = 0, to = bytes.length) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = from;
    this.#end = to;
  }

  get isDone(): boolean {
    return this.#at >= this.#end;
  }

  /** An unsigned varint; at most 2^53 - 1, so that it is exact. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw new ProtobufError("an integer is over 2^53");
        return value;
      }
      scale *= 128;
    }
    throw new ProtobufError("a varint is longer than ten bytes");
  }

  /** An int32, whose negative values take ten bytes on the wire. */
  int32(): number {
    let value = 0;
    for (let count = 0; count < 10; count++) {
      const byte = this.#byte();
      if (count < 5) value |= (byte & 0x7f) << (7 * count);
      if (byte < 0x80) return value | 0;
    }
    throw new ProtobufError("a varint is longer than ten bytes");
  }

  int64(): bigint {
    let value = 0n;
    for (let count = 0n; count < 10n; count++) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << (7n * count);
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new ProtobufError("a varint is longer than ten bytes");
  }

  float32(): number {
    this.#need(4);
    this.#at += 4;
    return this.#view.getFloat32(this.#at - 4, true);
  }

  float64(): number {
    this.#need(8);
    this.#at += 8;
    return this.#view.getFloat64(this.#at - 8, true);
  }

  tag(): { readonly field: number; readonly type: number } {
    const tag = this.varint();
    const field = Math.floor(tag / 8);
    if (field === 0) throw new ProtobufError("field number 0");
    return { field, type: tag % 8 };
  }

  /** The bytes of a length-delimited field, as a view. */
  delimited(): Uint8Array {
    const length = this.varint();
    this.#need(length);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** A cursor over a nested message; its errors count bytes from where the outermost one begins. */
  message(): ProtobufReader {
    const length = this.varint();
    this.#need(length);
    this.#at += length;
    return new ProtobufReader(this.#bytes, this.#at - length, this.#at);
  }

  string(): string {
    const bytes = this.delimited();
    try {
      return utf8.decode(bytes);
    } catch {
      throw new ProtobufError("a string is not UTF-8");
    }
  }

  skip(type: number): void {
    if (type === wire.varint) this.int32();
    else if (type === wire.fixed64) this.#advance(8);
    else if (type === wire.delimited) this.delimited();
    else if (type === wire.fixed32) this.#advance(4);
    else throw new ProtobufError(`wire type ${type}`);
  }

  #byte(): number {
    this.#need(1);
    return this.#bytes[this.#at++]!;
  }

  #advance(count: number): void {
    this.#need(count);
    this.#at += count;
  }

  #need(count: number): void {
    if (count > this.#end - this.#at) throw new ProtobufError(`the message ends early, at its byte ${this.#at}`);
  }
}

/** Collects a message. Nested messages are written with `message`. */
export class ProtobufWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  varint(value: number): void {
    this.#room(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  int32(value: number): void {
    if (value >= 0) {
      this.varint(value);
      return;
    }
    this.#room(10);
    let low = value | 0;
    for (let count = 0; count < 9; count++) {
      this.#bytes[this.#length++] = (low & 0x7f) | 0x80;
      low >>= 7;
    }
    this.#bytes[this.#length++] = 1;
  }

  int64(value: bigint): void {
    this.#room(10);
    let rest = BigInt.asUintN(64, value);
    while (rest >= 0x80n) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  delimited(field: number, bytes: Uint8Array): void {
    this.varint(field * 8 + wire.delimited);
    this.varint(bytes.length);
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  string(field: number, text: string): void {
    this.delimited(field, new TextEncoder().encode(text));
  }

  message(field: number, write: (inner: ProtobufWriter) => void): void {
    const inner = new ProtobufWriter();
    write(inner);
    this.delimited(field, inner.finish());
  }

  packedVarints(field: number, values: Iterable<number>): void {
    this.message(field, (inner) => {
      for (const value of values) inner.int32OrVarint(value);
    });
  }

  int32OrVarint(value: number): void {
    if (value < 0) this.int32(value);
    else this.varint(value);
  }

  #room(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
