// Lloyd's iteration on weighted points: how the many centres of the streaming phase become the k of the model.
import { initialCentres, type InitMethod } from "./initial-centres.ts";
import type { Uniform } from "./numbers.ts";
import { type Points, squaredDistance } from "./points.ts";

export interface LloydOptions {
  readonly initMethod: InitMethod;
  readonly maxIterations: number;
  /** Stops when an iteration lowers the inertia by less than this share. */
  readonly tolerance: number;
  readonly trials: number;
}

export interface Clustering {
  /** k × width. */
  readonly centres: Float64Array;
  /** Weighted sum of squared distances. */
  readonly inertia: number;
}

/** Assigns every point; returns the inertia. An empty centre gets no weight and stays where it is. */
function assign(points: Points, centres: Float64Array, k: number, nearest: Uint32Array): number {
  const { values, weights, width, count } = points;
  let inertia = 0;
  for (let at = 0; at < count; at++) {
    let least = Infinity;
    for (let centre = 0; centre < k; centre++) {
      const distance = squaredDistance(values, at * width, centres, centre * width, width);
      if (distance >= least) continue;
      least = distance;
      nearest[at] = centre;
    }
    inertia += weights[at]! * least;
  }
  return inertia;
}

function moveCentres(points: Points, centres: Float64Array, k: number, nearest: Uint32Array): void {
  const { values, weights, width, count } = points;
  const sums = new Float64Array(k * width);
  const totals = new Float64Array(k);
  for (let at = 0; at < count; at++) {
    const centre = nearest[at]!;
    const weight = weights[at]!;
    totals[centre]! += weight;
    for (let feature = 0; feature < width; feature++)
      sums[centre * width + feature]! += weight * values[at * width + feature]!;
  }
  for (let centre = 0; centre < k; centre++) {
    const total = totals[centre]!;
    if (total === 0) continue;
    for (let feature = 0; feature < width; feature++)
      centres[centre * width + feature] = sums[centre * width + feature]! / total;
  }
}

function oneTrial(points: Points, k: number, options: LloydOptions, uniform: Uniform): Clustering {
  const centres = initialCentres(points, k, options.initMethod, uniform);
  const nearest = new Uint32Array(points.count);
  let inertia = assign(points, centres, k, nearest);
  for (let iteration = 0; iteration < options.maxIterations; iteration++) {
    moveCentres(points, centres, k, nearest);
    const next = assign(points, centres, k, nearest);
    const gained = inertia - next;
    inertia = next;
    if (gained <= options.tolerance * next) break;
  }
  return { centres, inertia };
}

/** The best of several trials. Needs k ≤ points.count. */
export function lloyd(points: Points, k: number, options: LloydOptions, uniform: Uniform): Clustering {
  let best = oneTrial(points, k, options, uniform);
  for (let trial = 1; trial < options.trials; trial++) {
    const other = oneTrial(points, k, options, uniform);
    if (other.inertia < best.inertia) best = other;
  }
  return best;
}
