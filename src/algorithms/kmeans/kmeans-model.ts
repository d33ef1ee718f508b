// The model's file, `model_algo-1`: an MXNet NDArray list of one array, the centroids (k × feature_dim float32), as
// SageMaker's k-means writes it and notebooks read it with mx.nd.load. Serving needs nothing else.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeNdArrays, encodeNdArrays } from "../../formats/mxnet-ndarray.ts";
import type { Predictor } from "../algorithm.ts";
import { ClientError } from "../client-error.ts";
import { isDense, type Row } from "../rows.ts";

export const modelFile = "model_algo-1";

export interface Centroids {
  readonly k: number;
  readonly width: number;
  /** Row-major, k × width. */
  readonly values: Float32Array;
}

export const encodeModel = ({ k, width, values }: Centroids): Uint8Array =>
  encodeNdArrays([{ shape: [k, width], values }]);

export function decodeModel(bytes: Uint8Array, source: string): Centroids {
  const [centroids] = decodeNdArrays(bytes, source).arrays;
  const [k, width, ...more] = centroids?.shape ?? [];
  if (!centroids || k === undefined || width === undefined || more.length > 0 || k * width === 0) {
    throw new ClientError(`${source} does not hold a matrix of centroids`);
  }
  return { k, width, values: centroids.values };
}

/** Reads model_algo-1, or whatever one file a model made elsewhere calls it (model_algo-2, …). */
export async function readModel(folder: string): Promise<Centroids> {
  const names = (await readdir(folder)).filter((name) => /^model_algo-\d+$/.test(name)).sort();
  const name = names[0];
  if (name === undefined) throw new ClientError(`the model folder holds no file ${modelFile}`);
  return decodeModel(await readFile(join(folder, name)), name);
}

function squaredToSparse(row: Exclude<Row, Float32Array>, centroid: Float32Array, norm: number): number {
  let squared = norm;
  for (let at = 0; at < row.keys.length; at++) {
    const value = row.values[at]!;
    const mean = centroid[row.keys[at]!]!;
    squared += value * value - 2 * value * mean;
  }
  return Math.max(0, squared);
}

/** In four chains of additions: one would wait for itself. */
function squaredToDense(row: Float32Array, centroid: Float32Array): number {
  const even = row.length - (row.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let at = 0; at < even; at += 4) {
    const first = row[at]! - centroid[at]!;
    const second = row[at + 1]! - centroid[at + 1]!;
    const third = row[at + 2]! - centroid[at + 2]!;
    const fourth = row[at + 3]! - centroid[at + 3]!;
    a += first * first;
    b += second * second;
    c += third * third;
    d += fourth * fourth;
  }
  for (let at = even; at < row.length; at++) {
    const difference = row[at]! - centroid[at]!;
    a += difference * difference;
  }
  return a + b + (c + d);
}

export interface Nearest {
  readonly cluster: number;
  readonly squaredDistance: number;
}

/** The squared distance of a row to one of the centroids, in double precision. */
export function distanceTo({ k, width, values }: Centroids): (row: Row, cluster: number) => number {
  const centroids = Array.from({ length: k }, (_, at) => values.subarray(at * width, (at + 1) * width));
  const norms = centroids.map((centroid) => centroid.reduce((sum, value) => sum + value * value, 0));
  return (row, cluster) =>
    isDense(row)
      ? squaredToDense(row, centroids[cluster]!)
      : squaredToSparse(row, centroids[cluster]!, norms[cluster]!);
}

/** Finds nearest centroids one row at a time, in double precision: for serving, and what the kernels must agree with. */
export function nearestFinder(centroids: Centroids): (row: Row) => Nearest {
  const squaredTo = distanceTo(centroids);
  return (row) => {
    let cluster = 0;
    let least = Infinity;
    for (let at = 0; at < centroids.k; at++) {
      const squared = squaredTo(row, at);
      if (squared >= least) continue;
      least = squared;
      cluster = at;
    }
    return { cluster, squaredDistance: least };
  };
}

/** Answers with `closest_cluster` and the Euclidean `distance_to_cluster`. */
export function createPredictor(centroids: Centroids): Predictor {
  const nearestTo = nearestFinder(centroids);
  return {
    width: centroids.width,
    predict: (rows) =>
      rows.map((row) => {
        const { cluster, squaredDistance } = nearestTo(row);
        return { closest_cluster: cluster, distance_to_cluster: Math.sqrt(squaredDistance) };
      }),
  };
}
