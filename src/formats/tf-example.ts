// TensorFlow's Example (tensorflow/core/example/feature.proto): named lists of bytes, floats or 64-bit integers.
import { FormatError } from "./format-error.ts";
import { packedBytes, readFloats } from "./packed-floats.ts";
import { ProtobufError, ProtobufReader, ProtobufWriter, wire } from "./protobuf-wire.ts";

export type Feature =
  | { readonly type: "bytes"; readonly values: readonly Uint8Array[] }
  | { readonly type: "float"; readonly values: Float32Array }
  | { readonly type: "int64"; readonly values: BigInt64Array };

/** By feature name. */
export type Example = ReadonlyMap<string, Feature>;

const listFields = { bytes: 1, float: 2, int64: 3 } as const;

function readBytesList(reader: ProtobufReader): Feature {
  const values: Uint8Array[] = [];
  while (!reader.isDone) {
    const { field, type } = reader.tag();
    if (field === 1 && type === wire.delimited) values.push(new Uint8Array(reader.delimited()));
    else reader.skip(type);
  }
  return { type: "bytes", values };
}

function readFloatList(reader: ProtobufReader): Feature {
  const parts: ArrayLike<number>[] = [];
  while (!reader.isDone) {
    const { field, type } = reader.tag();
    if (field === 1) parts.push(readFloats("float32", reader, type));
    else reader.skip(type);
  }
  const [only] = parts;
  if (parts.length === 1 && only instanceof Float32Array) return { type: "float", values: only };
  return { type: "float", values: Float32Array.from(parts.flatMap((part) => Array.from(part))) };
}

function readInt64List(reader: ProtobufReader): Feature {
  const values: bigint[] = [];
  while (!reader.isDone) {
    const { field, type } = reader.tag();
    if (field !== 1) {
      reader.skip(type);
    } else if (type === wire.varint) {
      values.push(reader.int64());
    } else if (type === wire.delimited) {
      const packed = reader.message();
      while (!packed.isDone) values.push(packed.int64());
    } else {
      throw new ProtobufError(`integers of wire type ${type}`);
    }
  }
  return { type: "int64", values: BigInt64Array.from(values) };
}

function readFeature(reader: ProtobufReader): Feature | undefined {
  let feature: Feature | undefined;
  while (!reader.isDone) {
    const { field, type } = reader.tag();
    if (type !== wire.delimited) reader.skip(type);
    else if (field === listFields.bytes) feature = readBytesList(reader.message());
    else if (field === listFields.float) feature = readFloatList(reader.message());
    else if (field === listFields.int64) feature = readInt64List(reader.message());
    else reader.skip(type);
  }
  return feature;
}

function readEntry(reader: ProtobufReader, into: Map<string, Feature>): void {
  let name = "";
  let feature: Feature | undefined;
  while (!reader.isDone) {
    const { field, type } = reader.tag();
    if (field === 1 && type === wire.delimited) name = reader.string();
    else if (field === 2 && type === wire.delimited) feature = readFeature(reader.message());
    else reader.skip(type);
  }
  // A feature of no kind holds nothing; TensorFlow takes it for a missing one.
  if (feature) into.set(name, feature);
}

function readFeatures(reader: ProtobufReader, into: Map<string, Feature>): void {
  while (!reader.isDone) {
    const { field, type } = reader.tag();
    if (field === 1 && type === wire.delimited) readEntry(reader.message(), into);
    else reader.skip(type);
  }
}

/** Throws FormatError naming `source` and `recordNumber` (1-based). */
export function decodeExample(bytes: Uint8Array, source: string, recordNumber: number): Example {
  const features = new Map<string, Feature>();
  try {
    const reader = new ProtobufReader(bytes);
    while (!reader.isDone) {
      const { field, type } = reader.tag();
      if (field === 1 && type === wire.delimited) readFeatures(reader.message(), features);
      else reader.skip(type);
    }
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw new FormatError(source, recordNumber, `not a tf.train.Example: ${error.message}`);
  }
  return features;
}

function writeList(feature: Feature, list: ProtobufWriter): void {
  if (feature.type === "bytes") {
    for (const value of feature.values) list.delimited(1, value);
  } else if (feature.values.length > 0) {
    if (feature.type === "float") list.delimited(1, packedBytes(feature.values));
    else {
      const { values } = feature;
      list.message(1, (packed) => {
        for (const value of values) packed.int64(value);
      });
    }
  }
}

/** Features in the order of their names: equal examples have equal bytes. `encodeTfRecord` frames them. */
export function encodeExample(example: Example): Uint8Array {
  const writer = new ProtobufWriter();
  writer.message(1, (features) => {
    for (const name of [...example.keys()].toSorted()) {
      const feature = example.get(name)!;
      features.message(1, (entry) => {
        entry.string(1, name);
        entry.message(2, (value) => value.message(listFields[feature.type], (list) => writeList(feature, list)));
      });
    }
  });
  return writer.finish();
}
