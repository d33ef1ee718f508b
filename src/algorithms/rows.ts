// A row of features, dense or sparse, and how records, CSV lines and JSON become one.
import type { DataRecord, NumberTensor } from "../formats/record-protobuf.ts";

export interface SparseRow {
  readonly width: number;
  /** Positions of the values, ascending or not, each below `width`. */
  readonly keys: ArrayLike<number>;
  readonly values: Float32Array;
}

export type Row = Float32Array | SparseRow;

export const isDense = (row: Row): row is Float32Array => row instanceof Float32Array;

export const widthOf = (row: Row): number => (isDense(row) ? row.length : row.width);

/** Why the features cannot be a row; the caller adds file and record. */
export class RowProblem extends Error {}

const asFloat32 = (tensor: NumberTensor): Float32Array =>
  tensor.type === "float32" ? tensor.values : Float32Array.from(tensor.values);

export function rowOfTensor(tensor: NumberTensor, width?: number): Row {
  const { keys, shape } = tensor;
  const side = shape?.at(-1);
  const isSparse = keys !== undefined || (tensor.values.length === 0 && side !== undefined && side > 0);
  if (!isSparse) return asFloat32(tensor);
  const declared = side ?? width;
  if (declared === undefined) throw new RowProblem("a sparse tensor needs its shape");
  return sparseRow(declared, keys ?? [], asFloat32(tensor));
}

export function sparseRow(width: number, keys: ArrayLike<number>, values: Float32Array): SparseRow {
  if (keys.length !== values.length) throw new RowProblem(`${keys.length} keys for ${values.length} values`);
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at]!;
    if (!Number.isInteger(key) || key < 0 || key >= width)
      throw new RowProblem(`key ${key} is outside 0..${width - 1}`);
  }
  return { width, keys, values };
}

/** The feature named "values", or the only one there is. */
export function rowOfRecord(record: DataRecord, width?: number): Row {
  const tensor =
    record.features.get("values") ?? (record.features.size === 1 ? [...record.features.values()][0] : undefined);
  if (!tensor)
    throw new RowProblem(`no feature named "values" (found: ${[...record.features.keys()].join(", ") || "none"})`);
  if (tensor.type === "bytes") throw new RowProblem("its features are bytes, not numbers");
  return rowOfTensor(tensor, width);
}
