// The specification of k-means' kernels in plain TypeScript, rounding to float32 where the kernels do.
import { type KMeansKernels, panelWidth } from "./kmeans-kernels.ts";

const { fround } = Math;

/** A fused multiply-add, up to one double rounding. */
const madd = (a: number, b: number, c: number): number => fround(a * b + c);

class Best {
  readonly #nearest: Uint32Array;
  readonly #scores: Float32Array;

  constructor(memory: ArrayBufferLike, nearest: number, scores: number, rowCount: number) {
    this.#nearest = new Uint32Array(memory, nearest, rowCount);
    this.#scores = new Float32Array(memory, scores, rowCount).fill(Infinity);
    this.#nearest.fill(0);
  }

  /** The first of equal scores wins; NaN never does. */
  offer(row: number, panel: number, dots: Float32Array, norms: Float32Array): void {
    for (let column = 0; column < panelWidth; column++) {
      const centroid = panel * panelWidth + column;
      const score = madd(-2, dots[column]!, norms[centroid]!);
      if (score >= this.#scores[row]! || Number.isNaN(score)) continue;
      this.#scores[row] = score;
      this.#nearest[row] = centroid;
    }
  }
}

interface Views {
  readonly float32: (at: number, count?: number) => Float32Array;
  readonly uint32: (at: number, count?: number) => Uint32Array;
}

function nearestKernels(
  memory: ArrayBufferLike,
  { float32, uint32 }: Views,
): Pick<KMeansKernels, "nearestDense" | "nearestSparse"> {
  return {
    nearestDense(rows, rowCount, width, panels, norms, panelCount, nearest, scores) {
      const x = float32(rows, rowCount * width);
      const packed = float32(panels, panelCount * width * panelWidth);
      const best = new Best(memory, nearest, scores, rowCount);
      const dots = new Float32Array(panelWidth);
      for (let row = 0; row < rowCount; row++) {
        for (let panel = 0; panel < panelCount; panel++) {
          dots.fill(0);
          for (let feature = 0; feature < width; feature++) {
            const at = (panel * width + feature) * panelWidth;
            const value = x[row * width + feature]!;
            for (let column = 0; column < panelWidth; column++)
              dots[column] = madd(value, packed[at + column]!, dots[column]!);
          }
          best.offer(row, panel, dots, float32(norms));
        }
      }
    },
    nearestSparse(values, indices, starts, lengths, rowCount, width, panels, norms, panelCount, nearest, scores) {
      const x = float32(values);
      const features = uint32(indices);
      const from = uint32(starts, rowCount);
      const length = uint32(lengths, rowCount);
      const packed = float32(panels, panelCount * width * panelWidth);
      const best = new Best(memory, nearest, scores, rowCount);
      const dots = new Float32Array(panelWidth);
      const odd = new Float32Array(panelWidth);
      for (let row = 0; row < rowCount; row++) {
        for (let panel = 0; panel < panelCount; panel++) {
          dots.fill(0);
          odd.fill(0);
          for (let entry = 0; entry < length[row]!; entry++) {
            const at = from[row]! + entry;
            const column0 = (panel * width + features[at]!) * panelWidth;
            const into = entry % 2 === 0 ? dots : odd;
            for (let column = 0; column < panelWidth; column++) {
              into[column] = madd(x[at]!, packed[column0 + column]!, into[column]!);
            }
          }
          for (let column = 0; column < panelWidth; column++) dots[column]! += odd[column]!;
          best.offer(row, panel, dots, float32(norms));
        }
      }
    },
  };
}

function sumKernels({ float32, uint32 }: Views): Pick<KMeansKernels, "sumDense" | "sumSparse" | "compressRows"> {
  return {
    sumDense(rows, rowCount, width, nearest, sums, members) {
      const x = float32(rows, rowCount * width);
      const of = uint32(nearest, rowCount);
      const total = float32(sums);
      const count = uint32(members);
      for (let row = 0; row < rowCount; row++) {
        const to = of[row]! * width;
        for (let feature = 0; feature < width; feature++) total[to + feature]! += x[row * width + feature]!;
        count[of[row]!]! += 1;
      }
    },
    sumSparse(values, indices, starts, lengths, rowCount, width, nearest, sums, members) {
      const x = float32(values);
      const features = uint32(indices);
      const from = uint32(starts, rowCount);
      const length = uint32(lengths, rowCount);
      const of = uint32(nearest, rowCount);
      const total = float32(sums);
      const count = uint32(members);
      for (let row = 0; row < rowCount; row++) {
        const to = of[row]! * width;
        for (let entry = from[row]!; entry < from[row]! + length[row]!; entry++)
          total[to + features[entry]!]! += x[entry]!;
        count[of[row]!]! += 1;
      }
    },
    compressRows(rows, indices, starts, lengths, firstRow, rowCount, width, to) {
      const x = float32(rows);
      const features = uint32(indices);
      const from = uint32(starts);
      const length = uint32(lengths);
      let next = to;
      for (let row = firstRow; row < firstRow + rowCount; row++) {
        from[row] = next;
        for (let feature = 0; feature < width; feature++) {
          const value = x[row * width + feature]!;
          if (value === 0) continue;
          x[next] = value;
          features[next] = feature;
          next++;
        }
        length[row] = next - from[row]!;
      }
      return next;
    },
  };
}

/** The kernels over `memory`. */
export function referenceKernels(memory: ArrayBufferLike): KMeansKernels {
  const views: Views = {
    float32: (at, count) => new Float32Array(memory, at, count),
    uint32: (at, count) => new Uint32Array(memory, at, count),
  };
  return { ...nearestKernels(memory, views), ...sumKernels(views) };
}
