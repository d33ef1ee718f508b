// k-means' inner loops, as src/kernels/kmeans-kernels.ts describes them: SIMD of 128 bits with relaxed multiply-add.
// Compiled by tools/build-kernels.ts. The panels hold 12 centroids side by side, so that a feature's value is spread once
// and multiplied into three vectors. Three dense rows go together: nine sums, three vectors and one value fit V8's
// fifteen registers, where four rows (sixteen in all) spill and take half as long again.

// @ts-ignore: decorator
@inline
function madd(a: v128, b: v128, c: v128): v128 {
  return f32x4.relaxed_madd(a, b, c);
}

// @ts-ignore: decorator
@inline
const PANEL: i32 = 12;

// Offers a panel's twelve scores to the row's best; the first of equal scores wins.
function offer(dot0: v128, dot1: v128, dot2: v128, norms: usize, panel: i32, nearest: usize, score: usize): void {
  const at = norms + ((panel * PANEL) << 2);
  const minusTwo = f32x4.splat(-2);
  const s0 = madd(minusTwo, dot0, v128.load(at));
  const s1 = madd(minusTwo, dot1, v128.load(at, 16));
  const s2 = madd(minusTwo, dot2, v128.load(at, 32));
  let best = load<f32>(score);
  // Most panels of a large k hold nothing better: one comparison finds out.
  const bestOfAll = f32x4.splat(best);
  const any = v128.or(v128.or(f32x4.lt(s0, bestOfAll), f32x4.lt(s1, bestOfAll)), f32x4.lt(s2, bestOfAll));
  if (!v128.any_true(any)) return;
  const first = panel * PANEL;
  let index = load<i32>(nearest);
  let value = f32x4.extract_lane(s0, 0);
  if (value < best) { best = value; index = first; }
  value = f32x4.extract_lane(s0, 1);
  if (value < best) { best = value; index = first + 1; }
  value = f32x4.extract_lane(s0, 2);
  if (value < best) { best = value; index = first + 2; }
  value = f32x4.extract_lane(s0, 3);
  if (value < best) { best = value; index = first + 3; }
  value = f32x4.extract_lane(s1, 0);
  if (value < best) { best = value; index = first + 4; }
  value = f32x4.extract_lane(s1, 1);
  if (value < best) { best = value; index = first + 5; }
  value = f32x4.extract_lane(s1, 2);
  if (value < best) { best = value; index = first + 6; }
  value = f32x4.extract_lane(s1, 3);
  if (value < best) { best = value; index = first + 7; }
  value = f32x4.extract_lane(s2, 0);
  if (value < best) { best = value; index = first + 8; }
  value = f32x4.extract_lane(s2, 1);
  if (value < best) { best = value; index = first + 9; }
  value = f32x4.extract_lane(s2, 2);
  if (value < best) { best = value; index = first + 10; }
  value = f32x4.extract_lane(s2, 3);
  if (value < best) { best = value; index = first + 11; }
  store<f32>(score, best);
  store<i32>(nearest, index);
}

function clear(rowCount: i32, nearest: usize, scores: usize): void {
  for (let row = 0; row < rowCount; row++) {
    store<i32>(nearest + (row << 2), 0);
    store<f32>(scores + (row << 2), Infinity);
  }
}

function oneRow(x: usize, width: i32, panel: usize, norms: usize, index: i32, nearest: usize, score: usize): void {
  let a0 = f32x4.splat(0), a1 = f32x4.splat(0), a2 = f32x4.splat(0);
  const end = x + (<usize>width << 2);
  for (; x < end; x += 4, panel += 48) {
    const v = v128.load32_splat(x);
    a0 = madd(v, v128.load(panel), a0);
    a1 = madd(v, v128.load(panel, 16), a1);
    a2 = madd(v, v128.load(panel, 32), a2);
  }
  offer(a0, a1, a2, norms, index, nearest, score);
}

function threeRows(x: usize, width: i32, panel: usize, norms: usize, index: i32, nearest: usize, score: usize): void {
  const stride = <usize>width << 2;
  let a0 = f32x4.splat(0), a1 = f32x4.splat(0), a2 = f32x4.splat(0);
  let b0 = f32x4.splat(0), b1 = f32x4.splat(0), b2 = f32x4.splat(0);
  let c0 = f32x4.splat(0), c1 = f32x4.splat(0), c2 = f32x4.splat(0);
  const end = x + stride;
  let x1 = x + stride, x2 = x1 + stride;
  while (x < end) {
    const p0 = v128.load(panel), p1 = v128.load(panel, 16), p2 = v128.load(panel, 32);
    let v = v128.load32_splat(x);
    a0 = madd(v, p0, a0); a1 = madd(v, p1, a1); a2 = madd(v, p2, a2);
    v = v128.load32_splat(x1);
    b0 = madd(v, p0, b0); b1 = madd(v, p1, b1); b2 = madd(v, p2, b2);
    v = v128.load32_splat(x2);
    c0 = madd(v, p0, c0); c1 = madd(v, p1, c1); c2 = madd(v, p2, c2);
    x += 4; x1 += 4; x2 += 4; panel += 48;
  }
  offer(a0, a1, a2, norms, index, nearest, score);
  offer(b0, b1, b2, norms, index, nearest + 4, score + 4);
  offer(c0, c1, c2, norms, index, nearest + 8, score + 8);
}

export function nearestDense(rows: usize, rowCount: i32, width: i32, panels: usize, norms: usize, panelCount: i32, nearest: usize, scores: usize): void {
  clear(rowCount, nearest, scores);
  const stride = <usize>width << 2;
  const panelBytes = stride * PANEL;
  for (let panel = 0; panel < panelCount; panel++) {
    const at = panels + <usize>panel * panelBytes;
    let row = 0;
    for (; row + 3 <= rowCount; row += 3) {
      threeRows(rows + <usize>row * stride, width, at, norms, panel, nearest + (row << 2), scores + (row << 2));
    }
    for (; row < rowCount; row++) {
      oneRow(rows + <usize>row * stride, width, at, norms, panel, nearest + (row << 2), scores + (row << 2));
    }
  }
}

// Two entries at a time into sums of their own: one chain of multiply-adds would wait for itself.
function oneSparseRow(values: usize, indices: usize, length: i32, panel: usize, norms: usize, index: i32, nearest: usize, score: usize): void {
  let a0 = f32x4.splat(0), a1 = f32x4.splat(0), a2 = f32x4.splat(0);
  let b0 = f32x4.splat(0), b1 = f32x4.splat(0), b2 = f32x4.splat(0);
  const end = values + (<usize>(length & ~1) << 2);
  for (; values < end; values += 8, indices += 8) {
    const at = panel + <usize>load<u32>(indices) * 48;
    const next = panel + <usize>load<u32>(indices, 4) * 48;
    const v = v128.load32_splat(values);
    const w = v128.load32_splat(values, 4);
    a0 = madd(v, v128.load(at), a0);
    b0 = madd(w, v128.load(next), b0);
    a1 = madd(v, v128.load(at, 16), a1);
    b1 = madd(w, v128.load(next, 16), b1);
    a2 = madd(v, v128.load(at, 32), a2);
    b2 = madd(w, v128.load(next, 32), b2);
  }
  if (length & 1) {
    const at = panel + <usize>load<u32>(indices) * 48;
    const v = v128.load32_splat(values);
    a0 = madd(v, v128.load(at), a0);
    a1 = madd(v, v128.load(at, 16), a1);
    a2 = madd(v, v128.load(at, 32), a2);
  }
  offer(f32x4.add(a0, b0), f32x4.add(a1, b1), f32x4.add(a2, b2), norms, index, nearest, score);
}

export function nearestSparse(values: usize, indices: usize, starts: usize, lengths: usize, rowCount: i32, width: i32, panels: usize, norms: usize, panelCount: i32, nearest: usize, scores: usize): void {
  clear(rowCount, nearest, scores);
  const panelBytes = (<usize>width << 2) * PANEL;
  for (let row = 0; row < rowCount; row++) {
    const offset = <usize>load<u32>(starts + (row << 2)) << 2;
    const length = load<i32>(lengths + (row << 2));
    for (let panel = 0; panel < panelCount; panel++) {
      oneSparseRow(values + offset, indices + offset, length, panels + <usize>panel * panelBytes, norms, panel, nearest + (row << 2), scores + (row << 2));
    }
  }
}

export function sumDense(rows: usize, rowCount: i32, width: i32, nearest: usize, sums: usize, members: usize): void {
  const stride = <usize>width << 2;
  let x = rows;
  for (let row = 0; row < rowCount; row++) {
    const centroid = load<i32>(nearest + (row << 2));
    let to = sums + <usize>centroid * stride;
    const end = x + stride;
    for (; x + 16 <= end; x += 16, to += 16) v128.store(to, f32x4.add(v128.load(to), v128.load(x)));
    for (; x < end; x += 4, to += 4) store<f32>(to, load<f32>(to) + load<f32>(x));
    const count = members + (centroid << 2);
    store<i32>(count, load<i32>(count) + 1);
  }
}

export function sumSparse(values: usize, indices: usize, starts: usize, lengths: usize, rowCount: i32, width: i32, nearest: usize, sums: usize, members: usize): void {
  for (let row = 0; row < rowCount; row++) {
    const offset = <usize>load<u32>(starts + (row << 2)) << 2;
    let x = values + offset;
    let index = indices + offset;
    const end = x + (<usize>load<u32>(lengths + (row << 2)) << 2);
    const centroid = load<i32>(nearest + (row << 2));
    const to = sums + <usize>centroid * (<usize>width << 2);
    for (; x < end; x += 4, index += 4) {
      const at = to + (<usize>load<u32>(index) << 2);
      store<f32>(at, load<f32>(at) + load<f32>(x));
    }
    const count = members + (centroid << 2);
    store<i32>(count, load<i32>(count) + 1);
  }
}

export function compressRows(rows: usize, indices: usize, starts: usize, lengths: usize, firstRow: i32, rowCount: i32, width: i32, to: u32): u32 {
  const zero = f32x4.splat(0);
  let target = rows + (<usize>to << 2);
  let index = indices + (<usize>to << 2);
  for (let row = firstRow; row < firstRow + rowCount; row++) {
    const x = rows + (<usize>row * <usize>width << 2);
    const from = target;
    let feature = 0;
    while (feature < width) {
      // Runs of zeros are the common case, in images and in one-hot rows.
      if (feature + 4 <= width && !v128.any_true(f32x4.ne(v128.load(x + (<usize>feature << 2)), zero))) {
        feature += 4;
        continue;
      }
      const last = min(feature + 4, width);
      for (; feature < last; feature++) {
        const value = load<f32>(x + (<usize>feature << 2));
        if (value == 0) continue;
        store<f32>(target, value);
        store<i32>(index, feature);
        target += 4;
        index += 4;
      }
    }
    store<u32>(starts + (row << 2), <u32>((from - rows) >> 2));
    store<u32>(lengths + (row << 2), <u32>((target - from) >> 2));
  }
  return <u32>((target - rows) >> 2);
}

// Rows that are assigned and then summed together, while they are in cache.
// @ts-ignore: decorator
@inline
const ROWS_IN_CACHE: i32 = 64;

// One chunk of a block from assignment to sums; the twin of runChunk in centroid-assigner.ts.
export function runChunk(
  chunk: i32, rowCount: i32, isSparse: bool, compresses: bool, sumsToo: bool,
  chunkCount: i32, width: i32, centroidCount: i32, panelCount: i32,
  values: usize, indices: usize, starts: usize, lengths: usize, nearest: usize, scores: usize,
  panels: usize, norms: usize, partials: usize, partialBytes: usize,
): void {
  const share = (rowCount + chunkCount - 1) / chunkCount;
  const end = min(rowCount, (chunk + 1) * share);
  const sums = partials + <usize>chunk * partialBytes;
  const members = sums + <usize>centroidCount * (<usize>width << 2);
  let to: u32 = <u32>chunk * <u32>share * <u32>width;
  for (let first = chunk * share; first < end; first += ROWS_IN_CACHE) {
    const count = min(ROWS_IN_CACHE, end - first);
    const nearestAt = nearest + (first << 2);
    const score = scores + (first << 2);
    if (compresses) to = compressRows(values, indices, starts, lengths, first, count, width, to);
    if (isSparse) {
      const from = starts + (first << 2);
      const length = lengths + (first << 2);
      nearestSparse(values, indices, from, length, count, width, panels, norms, panelCount, nearestAt, score);
      if (sumsToo) sumSparse(values, indices, from, length, count, width, nearestAt, sums, members);
    } else {
      const rows = values + <usize>first * (<usize>width << 2);
      nearestDense(rows, count, width, panels, norms, panelCount, nearestAt, score);
      if (sumsToo) sumDense(rows, count, width, nearestAt, sums, members);
    }
  }
}
