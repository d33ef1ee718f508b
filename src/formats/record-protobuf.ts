// SageMaker's record protobuf (record.proto, package aialgs.data): features and labels as dense or sparse tensors.
// https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html
import { FormatError } from "./format-error.ts";
import { packedBytes, readFloats } from "./packed-floats.ts";
import { ProtobufError, ProtobufReader, ProtobufWriter, wire } from "./protobuf-wire.ts";

interface Coordinates {
  /** Sparse tensors only: the flat position of each value. */
  readonly keys?: readonly number[];
  /** Mandatory for sparse tensors; usually absent for dense ones. */
  readonly shape?: readonly number[];
}

export type NumberTensor =
  | ({ readonly type: "float32"; readonly values: Float32Array } & Coordinates)
  | ({ readonly type: "float64"; readonly values: Float64Array } & Coordinates)
  | ({ readonly type: "int32"; readonly values: Int32Array } & Coordinates);

export interface BytesTensor {
  readonly type: "bytes";
  readonly values: readonly Uint8Array[];
  readonly contentType?: string;
}

export type Tensor = NumberTensor | BytesTensor;

/** One example. Built-in algorithms read the feature and the label named "values". */
export interface DataRecord {
  readonly features: ReadonlyMap<string, Tensor>;
  readonly label: ReadonlyMap<string, Tensor>;
  readonly uid?: string;
  readonly metadata?: string;
  readonly configuration?: string;
}

type NumberType = NumberTensor["type"];

const valueFields: Readonly<Record<number, NumberType>> = { 2: "float32", 3: "float64", 7: "int32" };
const fieldOfType: Readonly<Record<NumberType, number>> = { float32: 2, float64: 3, int32: 7 };
const bytesField = 9;
function readIntegers(reader: ProtobufReader, wireType: number, next: (from: ProtobufReader) => number): number[] {
  if (wireType === wire.varint) return [next(reader)];
  if (wireType !== wire.delimited) throw new ProtobufError(`integers of wire type ${wireType}`);
  const packed = reader.message();
  const values: number[] = [];
  while (!packed.isDone) values.push(next(packed));
  return values;
}

const joined = (parts: readonly ArrayLike<number>[]): ArrayLike<number> =>
  parts.length === 1 ? parts[0]! : parts.flatMap((part) => Array.from(part));

/** Grows `before`: a writer may give every number a tag of its own. */
function appended(before: number[] | undefined, more: number[]): number[] {
  if (!before) return more;
  for (const value of more) before.push(value);
  return before;
}

function numberTensor(type: NumberType, values: ArrayLike<number>, coordinates: Coordinates): NumberTensor {
  if (type === "float32") {
    return { type, values: values instanceof Float32Array ? values : Float32Array.from(values), ...coordinates };
  }
  if (type === "float64") {
    return { type, values: values instanceof Float64Array ? values : Float64Array.from(values), ...coordinates };
  }
  return { type, values: Int32Array.from(values), ...coordinates };
}

function readNumberTensor(type: NumberType, reader: ProtobufReader): NumberTensor {
  const parts: ArrayLike<number>[] = [];
  let keys: number[] | undefined;
  let shape: number[] | undefined;
  while (!reader.isDone) {
    const { field, type: wireType } = reader.tag();
    if (field === 1 && type === "int32") parts.push(readIntegers(reader, wireType, (from) => from.int32()));
    else if (field === 1 && type !== "int32") parts.push(readFloats(type, reader, wireType));
    else if (field === 2)
      keys = appended(
        keys,
        readIntegers(reader, wireType, (from) => from.varint()),
      );
    else if (field === 3)
      shape = appended(
        shape,
        readIntegers(reader, wireType, (from) => from.varint()),
      );
    else reader.skip(wireType);
  }
  // An empty sparse row has neither keys nor values on the wire, only its shape.
  const coordinates: Coordinates = { ...(keys && { keys }), ...(shape && { shape }) };
  return numberTensor(type, joined(parts), coordinates);
}

function readBytes(reader: ProtobufReader): BytesTensor {
  const values: Uint8Array[] = [];
  let contentType: string | undefined;
  while (!reader.isDone) {
    const { field, type } = reader.tag();
    if (field === 1 && type === wire.delimited) values.push(new Uint8Array(reader.delimited()));
    else if (field === 2 && type === wire.delimited) contentType = reader.string();
    else reader.skip(type);
  }
  return { type: "bytes", values, ...(contentType !== undefined && { contentType }) };
}

function readValue(reader: ProtobufReader): Tensor | undefined {
  let value: Tensor | undefined;
  while (!reader.isDone) {
    const { field, type } = reader.tag();
    const numberType = valueFields[field];
    if (numberType && type === wire.delimited) value = readNumberTensor(numberType, reader.message());
    else if (field === bytesField && type === wire.delimited) value = readBytes(reader.message());
    else reader.skip(type);
  }
  return value;
}

function readEntry(reader: ProtobufReader, into: Map<string, Tensor>): void {
  let key = "";
  let value: Tensor | undefined;
  while (!reader.isDone) {
    const { field, type } = reader.tag();
    if (field === 1 && type === wire.delimited) key = reader.string();
    else if (field === 2 && type === wire.delimited) value = readValue(reader.message());
    else reader.skip(type);
  }
  if (value) into.set(key, value);
}

const textFields = { 3: "uid", 4: "metadata", 5: "configuration" } as const;

function readRecord(reader: ProtobufReader): DataRecord {
  const features = new Map<string, Tensor>();
  const label = new Map<string, Tensor>();
  const texts: { uid?: string; metadata?: string; configuration?: string } = {};
  while (!reader.isDone) {
    const { field, type } = reader.tag();
    if (type !== wire.delimited) reader.skip(type);
    else if (field === 1) readEntry(reader.message(), features);
    else if (field === 2) readEntry(reader.message(), label);
    else if (field === 3 || field === 4 || field === 5) texts[textFields[field]] = reader.string();
    else reader.skip(type);
  }
  return { features, label, ...texts };
}

/** Decodes one record. Throws FormatError naming `source` and `recordNumber` (1-based). */
export function decodeRecord(bytes: Uint8Array, source: string, recordNumber: number): DataRecord {
  try {
    return readRecord(new ProtobufReader(bytes));
  } catch (error) {
    if (error instanceof ProtobufError)
      throw new FormatError(source, recordNumber, `not a protobuf record: ${error.message}`);
    throw error;
  }
}

function writeTensor(tensor: Tensor, value: ProtobufWriter): void {
  if (tensor.type === "bytes") {
    value.message(bytesField, (inner) => {
      for (const bytes of tensor.values) inner.delimited(1, bytes);
      if (tensor.contentType !== undefined) inner.string(2, tensor.contentType);
    });
    return;
  }
  value.message(fieldOfType[tensor.type], (inner) => {
    if (tensor.type === "int32") inner.packedVarints(1, tensor.values);
    else inner.delimited(1, packedBytes(tensor.values));
    if (tensor.keys) inner.packedVarints(2, tensor.keys);
    if (tensor.shape) inner.packedVarints(3, tensor.shape);
  });
}

/** The protobuf bytes of one record; `encodeRecordIo` frames them. */
export function encodeRecord(record: Partial<DataRecord>): Uint8Array {
  const writer = new ProtobufWriter();
  const writeMap = (field: number, tensors: ReadonlyMap<string, Tensor> | undefined): void => {
    for (const [key, tensor] of tensors ?? []) {
      writer.message(field, (entry) => {
        entry.string(1, key);
        entry.message(2, (value) => writeTensor(tensor, value));
      });
    }
  };
  writeMap(1, record.features);
  writeMap(2, record.label);
  if (record.uid !== undefined) writer.string(3, record.uid);
  if (record.metadata !== undefined) writer.string(4, record.metadata);
  if (record.configuration !== undefined) writer.string(5, record.configuration);
  return writer.finish();
}
