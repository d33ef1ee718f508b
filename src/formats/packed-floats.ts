// Repeated float and double fields of protobuf: packed little-endian words, or one value a tag as old writers leave them.
import { ProtobufError, type ProtobufReader, wire } from "./protobuf-wire.ts";

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const wordBytes = { float32: 4, float64: 8 } as const;

/** Packed words as an aligned array of their own. */
function packedFloats(type: "float32" | "float64", bytes: Uint8Array): Float32Array | Float64Array {
  const size = wordBytes[type];
  if (bytes.length % size !== 0) throw new ProtobufError(`packed ${type} values end inside a value`);
  const copy = new Uint8Array(bytes); // not slice(): a Buffer's slice is a view
  if (!isLittleEndian) {
    for (let at = 0; at < copy.length; at += size) copy.subarray(at, at + size).reverse();
  }
  return type === "float32" ? new Float32Array(copy.buffer) : new Float64Array(copy.buffer);
}

/** One field of a repeated float or double: packed, or one value of its own. */
export function readFloats(type: "float32" | "float64", reader: ProtobufReader, wireType: number): ArrayLike<number> {
  if (wireType === wire.delimited) return packedFloats(type, reader.delimited());
  if (wireType === (type === "float32" ? wire.fixed32 : wire.fixed64)) {
    return [type === "float32" ? reader.float32() : reader.float64()];
  }
  throw new ProtobufError(`${type} values of wire type ${wireType}`);
}

/** The packed bytes of a repeated float or double: the array itself where the machine is little-endian. */
export const packedBytes = (values: Float32Array | Float64Array): Uint8Array => {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (isLittleEndian) return bytes;
  const size = values.BYTES_PER_ELEMENT;
  const copy = new Uint8Array(bytes);
  for (let at = 0; at < copy.length; at += size) copy.subarray(at, at + size).reverse();
  return copy;
};
