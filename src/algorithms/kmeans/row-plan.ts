// How rows go through the kernels, decided once from a sample: which kernel, and whether a mean is taken away first.
import { densityOf } from "../channel.ts";
import { ClientError } from "../client-error.ts";
import type { RowGroup } from "../channel.ts";
import { isDense, type Row } from "../rows.ts";

/** Below this share of non-zero values the kernel for compressed rows is faster (bench/kmeans). */
const sparseBelow = 0.35;

/** |mean|² over the variance from which float32 needs the mean taken away. */
const farFromZero = 100;

/** |x|² up to which no product of two rows leaves float32. */
const largestNorm = 1e37;

export interface RowPlan {
  readonly isMostlyZero: boolean;
  /** Taken away from every row and centre. */
  readonly offset: Float32Array | undefined;
  /** The kernel and the reason for it, for the log. */
  readonly kernel: string;
}

/** |x|², in four chains of additions: one would wait for itself. */
export function squaredNorm(row: Row): number {
  const values = isDense(row) ? row : row.values;
  const even = values.length - (values.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let at = 0; at < even; at += 4) {
    a += values[at]! * values[at]!;
    b += values[at + 1]! * values[at + 1]!;
    c += values[at + 2]! * values[at + 2]!;
    d += values[at + 3]! * values[at + 3]!;
  }
  for (let at = even; at < values.length; at++) a += values[at]! * values[at]!;
  return a + b + (c + d);
}

/** False for a row with NaN, an infinity, or values whose squares leave float32. */
export const isInRange = (squared: number): boolean => squared <= largestNorm;

export const outOfRange = (group: RowGroup, index: number): ClientError =>
  new ClientError(`${group.where(index)}: it holds a value that is NaN, infinite or too large`);

/**
 * The sample's mean, when the data lies so far from zero that |x|² − 2 x·c + |c|² would lose the distances in float32;
 * taking it away changes no distance. Undefined where that is not needed, or would fill sparse rows.
 */
function offsetFor(rows: readonly Row[], width: number): Float32Array | undefined {
  if (!rows.every(isDense)) return undefined;
  const mean = new Float64Array(width);
  for (const row of rows) for (let at = 0; at < width; at++) mean[at]! += row[at]! / rows.length;
  const meanNorm = mean.reduce((sum, value) => sum + value * value, 0);
  const norm = rows.reduce((sum, row) => sum + squaredNorm(row), 0) / rows.length;
  return meanNorm > farFromZero * (norm - meanNorm) ? Float32Array.from(mean) : undefined;
}

/** @param sample rows in range */
export function planFor(sample: readonly Row[], width: number, forceDense: boolean): RowPlan {
  const offset = offsetFor(sample, width);
  const density = densityOf(sample.slice(0, 1_000));
  const nonZero = `${Math.round(density * 100)} % non-zero`;
  const isMostlyZero = density < sparseBelow;
  if (forceDense) {
    const hint = isMostlyZero ? ": compressed rows would be faster" : "";
    return { isMostlyZero: false, offset, kernel: `dense kernel: force_dense (${nonZero}${hint})` };
  }
  return { isMostlyZero, offset, kernel: `${isMostlyZero ? "compressed rows" : "dense kernel"}: ${nonZero}` };
}

/** The row with the offset taken away; dense. */
export function without(row: Row, offset: Float32Array): Float32Array {
  if (isDense(row)) return row.map((value, at) => value - offset[at]!);
  const dense = offset.map((value) => -value);
  for (let at = 0; at < row.keys.length; at++) dense[row.keys[at]!]! += row.values[at]!;
  return dense;
}
