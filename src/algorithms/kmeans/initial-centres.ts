// Where k-means starts: points drawn at random, or by k-means++ (Arthur & Vassilvitskii 2007), which prefers far ones.
// Like scikit-learn, k-means++ draws a few candidates for each centre and keeps the one that lowers the total most.
import { pickByWeight, pickDistinct, type Uniform } from "./numbers.ts";
import { type Points, squaredDistance } from "./points.ts";

export type InitMethod = "random" | "kmeans++";

const copyOf = ({ values, width }: Points, indices: readonly number[]): Float64Array => {
  const centres = new Float64Array(indices.length * width);
  indices.forEach((index, at) => centres.set(values.subarray(index * width, (index + 1) * width), at * width));
  return centres;
};

/** For each point the squared distance to the nearest chosen one, times its weight, if `candidate` joined. */
function costsWith(points: Points, candidate: number, costs: Float64Array | undefined): Float64Array {
  const { values, weights, width, count } = points;
  const next = new Float64Array(count);
  for (let at = 0; at < count; at++) {
    const cost = weights[at]! * squaredDistance(values, at * width, values, candidate * width, width);
    next[at] = costs ? Math.min(costs[at]!, cost) : cost;
  }
  return next;
}

const sumOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

function plusPlus(points: Points, k: number, uniform: Uniform): number[] {
  const first = pickByWeight(points.weights, uniform);
  const chosen = [first];
  let costs = costsWith(points, first, undefined);
  const candidates = 2 + Math.floor(Math.log(k));
  while (chosen.length < k) {
    let best: { readonly index: number; readonly costs: Float64Array; readonly total: number } | undefined;
    for (let trial = 0; trial < candidates; trial++) {
      const index = pickByWeight(costs, uniform);
      const withIt = costsWith(points, index, costs);
      const total = sumOf(withIt);
      if (!best || total < best.total) best = { index, costs: withIt, total };
    }
    if (!best) break;
    chosen.push(best.index);
    costs = best.costs;
  }
  return chosen;
}

/** k rows of `points` as starting centres, k × width. Needs k ≤ points.count. */
export function initialCentres(points: Points, k: number, method: InitMethod, uniform: Uniform): Float64Array {
  const chosen = method === "random" ? pickDistinct(points.count, k, uniform) : plusPlus(points, k, uniform);
  return copyOf(points, chosen);
}
