// A training run of k-means: stream the data into many centres, reduce them to k, write the model, evaluate it.
import { availableParallelism } from "node:os";
import { CentroidAssigner, layOut } from "../../kernels/centroid-assigner.ts";
import { createThreadRunner } from "../../kernels/thread-runner.ts";
import type { TrainingContext } from "../algorithm.ts";
import type { Channel } from "../channel.ts";
import { ClientError } from "../client-error.ts";
import type { Row } from "../rows.ts";
import { type Centroids, encodeModel, modelFile, nearestFinder } from "./kmeans-model.ts";
import { lloyd } from "./lloyd.ts";
import { openExchange, type Streamed } from "./merge-centres.ts";
import { seededUniform } from "./numbers.ts";
import type { Points } from "./points.ts";
import { WebScaleKMeans } from "./web-scale.ts";

export interface KMeansValues {
  readonly k: number;
  readonly feature_dim: number;
  readonly mini_batch_size: number;
  readonly epochs: number;
  readonly init_method: "random" | "kmeans++";
  readonly extra_center_factor: number | "auto";
  readonly half_life_time_size: number;
  readonly local_lloyd_init_method: "random" | "kmeans++";
  readonly local_lloyd_max_iter: number;
  readonly local_lloyd_num_trials: number | "auto";
  readonly local_lloyd_tol: number;
  readonly eval_metrics: readonly ("msd" | "ssd")[];
}

const seed = 20_261_122;
const reportEveryMs = 2_000;

/**
 * `auto`: ten centres for each cluster, fewer where k is large, so that there are at most about a thousand; at least
 * two. More centres describe the data better but cost time in proportion.
 */
export const extraCenterFactor = (given: number | "auto", k: number): number =>
  given === "auto" ? Math.max(2, Math.min(10, Math.floor(1_000 / k))) : given;

/** `auto`: the reduction works on few points, so ten trials cost little; large k makes them dear and less needed. */
const trialsOf = (given: number | "auto", k: number): number =>
  given === "auto" ? Math.max(2, Math.min(10, Math.floor(500 / k))) : given;

/** Rows in batches of the given size; the last one may be smaller. */
async function* inBatches(rows: AsyncIterable<readonly Row[]>, size: number): AsyncGenerator<Row[]> {
  let batch: Row[] = [];
  for await (const some of rows) {
    for (const row of some) {
      batch.push(row);
      if (batch.length < size) continue;
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

async function streamEpochs(values: KMeansValues, channel: Channel, context: TrainingContext): Promise<Streamed> {
  const { log, clock, stop } = context;
  const model = new WebScaleKMeans({
    width: values.feature_dim,
    centreCount: values.k * extraCenterFactor(values.extra_center_factor, values.k),
    initMethod: values.init_method,
    halfLifePoints: values.half_life_time_size,
    uniform: seededUniform(seed),
    createAssigner: (width, centroidCount) => {
      const layout = layOut({ width, centroidCount, wantedRows: values.mini_batch_size });
      return new CentroidAssigner(layout, createThreadRunner(layout, availableParallelism()));
    },
  });
  let rowCount = 0;
  let reportedMs = clock.monotonicMs();
  try {
    for (let epoch = 0; epoch < values.epochs && !stop.aborted; epoch++) {
      let batches = 0;
      let epochRows = 0;
      let msd = NaN;
      const rows = channel.rows(epoch, { width: values.feature_dim, csvLabelSize: 1 });
      for await (const batch of inBatches(rows, values.mini_batch_size)) {
        msd = model.take(batch);
        batches++;
        epochRows += batch.length;
        if (stop.aborted) break;
        if (clock.monotonicMs() - reportedMs < reportEveryMs) continue;
        reportedMs = clock.monotonicMs();
        log.info(`epoch ${epoch}, batch ${batches}: ${epochRows} records, msd of this batch ${msd.toFixed(4)}`);
      }
      rowCount += epochRows;
      log.info(
        `epoch ${epoch} read ${epochRows} records in ${batches} batches; msd of the last batch ${msd.toFixed(4)}`,
      );
    }
    if (stop.aborted) log.warn("asked to stop: saving the model made so far");
    return { rowCount, points: model.points() };
  } finally {
    model.close();
  }
}

function reduce(points: Points, values: KMeansValues, context: TrainingContext): Centroids {
  const { k, feature_dim: width } = values;
  if (points.count < k) {
    throw new ClientError(`the training data gives only ${points.count} different centres, fewer than k=${k}`);
  }
  const options = {
    initMethod: values.local_lloyd_init_method,
    maxIterations: values.local_lloyd_max_iter,
    tolerance: values.local_lloyd_tol,
    trials: trialsOf(values.local_lloyd_num_trials, k),
  };
  const { centres } = lloyd(points, k, options, seededUniform(seed + 1));
  context.log.info(`reduced ${points.count} centres to ${k} clusters, the best of ${options.trials} trials`);
  return { k, width, values: Float32Array.from(centres) };
}

async function evaluate(
  values: KMeansValues,
  centroids: Centroids,
  channel: Channel,
  context: TrainingContext,
): Promise<void> {
  const nearestTo = nearestFinder(centroids);
  let rowCount = 0;
  let squared = 0;
  for await (const rows of channel.rows(0, { width: values.feature_dim, csvLabelSize: 1 })) {
    for (const row of rows) squared += nearestTo(row).squaredDistance;
    rowCount += rows.length;
    if (context.stop.aborted) return;
  }
  if (rowCount === 0) throw new ClientError("the channel 'test' holds no records");
  context.log.info(`evaluated ${rowCount} test records`);
  if (values.eval_metrics.includes("msd")) context.log.metric("test msd", squared / rowCount);
  if (values.eval_metrics.includes("ssd")) context.log.metric("test ssd", squared);
}

async function writeAndEvaluate(values: KMeansValues, points: Points, context: TrainingContext): Promise<void> {
  const centroids = reduce(points, values, context);
  await context.writeModel(modelFile, encodeModel(centroids));
  context.log.info(`wrote the model: ${centroids.k} centroids of ${centroids.width} features`);
  const test = context.channels.get("test");
  if (test) await evaluate(values, centroids, test, context);
}

/**
 * Trains on this host's share of the data. With several hosts, the first one merges everybody's centres, writes the
 * only model file and computes the metrics over its own test data; the others end once their centres have arrived.
 */
export async function trainKMeans(values: KMeansValues, context: TrainingContext): Promise<void> {
  const train = context.channels.get("train");
  if (!train) throw new ClientError("the channel 'train' is missing");
  const exchange = await openExchange(context, values.feature_dim);
  try {
    const own = await streamEpochs(values, train, context);
    context.log.info(`this host read ${own.rowCount} records`);
    const all = await exchange.merged(own);
    if (!all) return;
    if (all.rowCount === 0) throw new ClientError("the channel 'train' holds no records");
    await writeAndEvaluate(values, all.points, context);
  } finally {
    exchange.close();
  }
}
