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
  const even = width - (width % 4);
  // Four chains of additions: one would wait for itself.
  let [sum, second, third, fourth] = [0, 0, 0, 0];
  for (let at = 0; at < even; at += 4) {
    const p = a[fromA + at]! - b[fromB + at]!;
    const q = a[fromA + at + 1]! - b[fromB + at + 1]!;
    const r = a[fromA + at + 2]! - b[fromB + at + 2]!;
    const s = a[fromA + at + 3]! - b[fromB + at + 3]!;
    sum += p * p;
    second += q * q;
    third += r * r;
    fourth += s * s;
  }
  for (let at = even; at < width; at++) {
    const difference = a[fromA + at]! - b[fromB + at]!;
    sum += difference * difference;
  }
  return sum + second + (third + fourth);
}
