// Streaming k-means: Sculley's web-scale mini-batches (WWW 2010) with more centres than asked for, as
// https://docs.aws.amazon.com/sagemaker/latest/dg/algo-kmeans-tech-notes.html describes. Each batch moves a centre by
// p = new / (old + new) towards the mean of its new points; old weights halve every `halfLifePoints` points.
import type { CentroidAssigner } from "../../kernels/centroid-assigner.ts";
import { densityOf } from "../channel.ts";
import { ClientError } from "../client-error.ts";
import { isDense, type Row } from "../rows.ts";
import { initialCentres, type InitMethod } from "./initial-centres.ts";
import type { Uniform } from "./numbers.ts";
import type { Points } from "./points.ts";
import { fillBlock, rowsThatFit, sparseBelow } from "./row-block.ts";

export interface WebScaleOptions {
  readonly width: number;
  readonly centreCount: number;
  readonly initMethod: InitMethod;
  /** Points after which an old point counts half; 0 for never. */
  readonly halfLifePoints: number;
  readonly uniform: Uniform;
  readonly createAssigner: (width: number, centroidCount: number) => CentroidAssigner;
}

/** |mean|² over the variance from which float32 needs the mean taken away. */
const farFromZero = 100;

/** Points of the first batch that k-means++ looks at. */
const maxInitSample = 5_000;

function asPoints(rows: readonly Row[], width: number): Points {
  const values = new Float32Array(rows.length * width);
  rows.forEach((row, index) => {
    if (isDense(row)) values.set(row, index * width);
    else for (let at = 0; at < row.keys.length; at++) values[index * width + row.keys[at]!]! += row.values[at]!;
  });
  return { width, count: rows.length, values, weights: new Float64Array(rows.length).fill(1) };
}

const squaredNorm = (row: Row): number => {
  const values = isDense(row) ? row : row.values;
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at]! * values[at]!;
  return sum;
};

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

const without = (row: Row, offset: Float32Array): Row => {
  if (isDense(row)) return row.map((value, at) => value - offset[at]!);
  const dense = offset.map((value) => -value);
  for (let at = 0; at < row.keys.length; at++) dense[row.keys[at]!]! += row.values[at]!;
  return dense;
};

/** The centres of a stream and how many points each stands for. */
export class WebScaleKMeans {
  readonly #options: WebScaleOptions;
  #assigner: CentroidAssigner | undefined;
  #centres: Float64Array = new Float64Array(0);
  #weights: Float64Array = new Float64Array(0);
  #isMostlyZero = false;
  #offset: Float32Array | undefined;
  #rowsSeen = 0;

  constructor(options: WebScaleOptions) {
    this.#options = options;
  }

  /** Takes one mini-batch; returns its mean squared distance to the centres before they move. */
  take(given: readonly Row[]): number {
    if (!this.#assigner) this.#offset = offsetFor(given.slice(0, maxInitSample), this.#options.width);
    const offset = this.#offset;
    const rows = offset ? given.map((row) => without(row, offset)) : given;
    const assigner = this.#assigner ?? this.#begin(rows);
    const { width } = this.#options;
    const count = this.#weights.length;
    const totals = new Float64Array(count * width);
    const members = new Float64Array(count);
    assigner.setCentroids(this.#centres);
    let squared = 0;
    for (let from = 0; from < rows.length;) {
      const block = rows.slice(from, from + rowsThatFit(assigner, rows, from));
      assigner.run({ ...fillBlock(assigner, block, this.#isMostlyZero), sums: true });
      assigner.addSums(totals, members);
      squared += this.#squaredDistances(assigner, block);
      from += block.length;
    }
    this.#move(totals, members, rows.length);
    return squared / rows.length;
  }

  /** Centres that stand for at least one point. */
  points(): Points {
    const { width } = this.#options;
    const live = [...this.#weights.keys()].filter((centre) => this.#weights[centre]! > 0);
    const values = new Float64Array(live.length * width);
    live.forEach((centre, at) => values.set(this.#centres.subarray(centre * width, (centre + 1) * width), at * width));
    const offset = this.#offset;
    if (offset) values.forEach((value, at) => (values[at] = value + offset[at % width]!));
    return { width, count: live.length, values, weights: Float64Array.from(live, (centre) => this.#weights[centre]!) };
  }

  close(): void {
    this.#assigner?.close();
  }

  #begin(rows: readonly Row[]): CentroidAssigner {
    const { width, centreCount, initMethod, uniform, createAssigner } = this.#options;
    const sample = rows.slice(0, maxInitSample);
    const count = Math.min(centreCount, sample.length);
    this.#isMostlyZero = densityOf(rows.slice(0, 1_000)) < sparseBelow;
    this.#centres = initialCentres(asPoints(sample, width), count, initMethod, uniform);
    this.#weights = new Float64Array(count);
    this.#assigner = createAssigner(width, count);
    return this.#assigner;
  }

  #squaredDistances(assigner: CentroidAssigner, rows: readonly Row[]): number {
    let sum = 0;
    rows.forEach((row, index) => {
      const squared = assigner.scores[index]! + squaredNorm(row);
      if (!Number.isFinite(squared)) {
        throw new ClientError(`row ${this.#rowsSeen + index + 1} holds a value that is NaN, infinite or too large`);
      }
      sum += Math.max(0, squared);
    });
    this.#rowsSeen += rows.length;
    return sum;
  }

  #move(totals: Float64Array, members: Float64Array, batchRows: number): void {
    const { width, halfLifePoints } = this.#options;
    const decay = halfLifePoints > 0 ? 0.5 ** (batchRows / halfLifePoints) : 1;
    for (let centre = 0; centre < members.length; centre++) {
      const fresh = members[centre]!;
      const old = this.#weights[centre]! * decay;
      this.#weights[centre] = old + fresh;
      if (fresh === 0) continue;
      const share = fresh / (old + fresh);
      for (let at = centre * width; at < (centre + 1) * width; at++) {
        this.#centres[at]! += share * (totals[at]! / fresh - this.#centres[at]!);
      }
    }
  }
}
