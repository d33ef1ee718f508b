// Weighted points in memory: the candidates of an initialisation, or the centres that are reduced to k.

export interface Points {
  readonly width: number;
  readonly count: number;
  /** Row-major, count × width. */
  readonly values: Float32Array | Float64Array;
  readonly weights: Float64Array;
}

/** Squared Euclidean distance of two rows, given by their offsets. */
export function squaredDistance(
  a: ArrayLike<number>,
  fromA: number,
  b: ArrayLike<number>,
  fromB: number,
  width: number,
): number {
  let sum = 0;
  for (let at = 0; at < width; at++) {
    const difference = a[fromA + at]! - b[fromB + at]!;
    sum += difference * difference;
  }
  return sum;
}
