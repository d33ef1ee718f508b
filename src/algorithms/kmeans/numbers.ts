// Numeric chance: a small seeded generator, so that a run repeats. xoshiro-like quality is not needed here; splitmix32 does.
// Not lib/random.ts: that one is for identifiers and secrets.

/** Uniform in [0, 1). */
export type Uniform = () => number;

/** https://github.com/bryc/code/blob/master/jshash/PRNGs.md#splitmix32 */
export function seededUniform(seed: number): Uniform {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e37_79b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0_aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a_2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** An index with probability proportional to its weight; the last one with weight when rounding runs over. */
export function pickByWeight(weights: ArrayLike<number>, uniform: Uniform): number {
  let total = 0;
  for (let at = 0; at < weights.length; at++) total += weights[at]!;
  let left = uniform() * total;
  let last = 0;
  for (let at = 0; at < weights.length; at++) {
    if (weights[at]! <= 0) continue;
    last = at;
    left -= weights[at]!;
    if (left < 0) return at;
  }
  return last;
}

/** `count` different indices below `size`, in the order drawn. */
export function pickDistinct(size: number, count: number, uniform: Uniform): number[] {
  const indices = Uint32Array.from({ length: size }, (_, index) => index);
  for (let at = 0; at < count; at++) {
    const other = at + Math.floor(uniform() * (size - at));
    [indices[at], indices[other]] = [indices[other]!, indices[at]!];
  }
  return [...indices.subarray(0, count)];
}
