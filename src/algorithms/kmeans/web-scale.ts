// Streaming k-means: Sculley's web-scale mini-batches (WWW 2010) with more centres than asked for, as
// https://docs.aws.amazon.com/sagemaker/latest/dg/algo-kmeans-tech-notes.html describes. Each batch moves a centre by
// p = new / (old + new) towards the mean of its new points; old weights halve every `halfLifePoints` points.
import type { CentroidAssigner } from "../../kernels/centroid-assigner.ts";
import type { RowGroup } from "../channel.ts";
import { isDense, type Row } from "../rows.ts";
import { initialCentres, type InitMethod } from "./initial-centres.ts";
import type { Uniform } from "./numbers.ts";
import type { Points } from "./points.ts";
import { assignRows } from "./row-block.ts";
import { isInRange, outOfRange, planFor, type RowPlan, squaredNorm, without } from "./row-plan.ts";

export interface WebScaleOptions {
  readonly width: number;
  readonly centreCount: number;
  readonly initMethod: InitMethod;
  /** Points after which an old point counts half; 0 for never. */
  readonly halfLifePoints: number;
  /** Never the kernel for compressed rows. */
  readonly forceDense: boolean;
  readonly uniform: Uniform;
  readonly createAssigner: (width: number, centroidCount: number) => CentroidAssigner;
}

function asPoints(rows: readonly Row[], width: number): Points {
  const values = new Float32Array(rows.length * width);
  rows.forEach((row, index) => {
    if (isDense(row)) values.set(row, index * width);
    else for (let at = 0; at < row.keys.length; at++) values[index * width + row.keys[at]!]! += row.values[at]!;
  });
  return { width, count: rows.length, values, weights: new Float64Array(rows.length).fill(1) };
}

/** The centres of a stream and how many points each stands for. */
export class WebScaleKMeans {
  readonly #options: WebScaleOptions;
  #assigner: CentroidAssigner | undefined;
  #centres: Float64Array = new Float64Array(0);
  #weights: Float64Array = new Float64Array(0);
  #plan: RowPlan | undefined;

  constructor(options: WebScaleOptions) {
    this.#options = options;
  }

  /** Draws the starting centres from the sample. Returns the kernel that was chosen and why, for the log. */
  begin(sample: readonly Row[]): string {
    const { width, forceDense, centreCount, initMethod, uniform, createAssigner } = this.#options;
    const sound = sample.filter((row) => isInRange(squaredNorm(row)));
    const given = sound.length > 0 ? sound : sample;
    this.#plan = planFor(given, width, forceDense);
    const { offset, kernel } = this.#plan;
    const rows = offset ? given.map((row) => without(row, offset)) : given;
    const count = Math.min(centreCount, rows.length);
    this.#centres = initialCentres(asPoints(rows, width), count, initMethod, uniform);
    this.#weights = new Float64Array(count);
    this.#assigner = createAssigner(width, count);
    return kernel;
  }

  /** Takes one mini-batch; resolves to its mean squared distance to the centres before they move. Needs `begin` first. */
  async take(batch: RowGroup): Promise<number> {
    const [assigner, plan] = [this.#assigner, this.#plan];
    if (!assigner || !plan) throw new TypeError("take before begin");
    const totals = new Float64Array(this.#centres.length);
    const members = new Float64Array(this.#weights.length);
    let squared = 0;
    assigner.setCentroids(this.#centres);
    await assignRows(assigner, plan, batch.rows, true, (block, first) => {
      assigner.addSums(totals, members);
      block.forEach((row, index) => {
        const norm = squaredNorm(row);
        if (!isInRange(norm)) throw outOfRange(batch, first + index);
        squared += Math.max(0, norm + assigner.scores[index]!);
      });
    });
    this.#move(totals, members, batch.rows.length);
    return squared / batch.rows.length;
  }

  /** Centres that stand for at least one point. */
  points(): Points {
    const { width } = this.#options;
    const live = [...this.#weights.keys()].filter((centre) => this.#weights[centre]! > 0);
    const values = new Float64Array(live.length * width);
    live.forEach((centre, at) => values.set(this.#centres.subarray(centre * width, (centre + 1) * width), at * width));
    const offset = this.#plan?.offset;
    if (offset) values.forEach((value, at) => (values[at] = value + offset[at % width]!));
    return { width, count: live.length, values, weights: Float64Array.from(live, (centre) => this.#weights[centre]!) };
  }

  close(): void {
    this.#assigner?.close();
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
