// A training run of k-means: stream the data into many centres, reduce them to k, write the model, evaluate it.
import type { TrainingContext } from "../algorithm.ts";
import { ClientError } from "../client-error.ts";
import { evaluate } from "./evaluate.ts";
import { type Centroids, encodeModel, modelFile } from "./kmeans-model.ts";
import type { KMeansValues } from "./kmeans-values.ts";
import { lloyd } from "./lloyd.ts";
import { openExchange, type Streamed } from "./merge-centres.ts";
import { seededUniform } from "./numbers.ts";
import { seed, streamEpochs } from "./stream-epochs.ts";

/** `auto`: the reduction works on few points, so ten trials cost little; large k makes them dear and less needed. */
const trialsOf = (given: number | "auto", k: number): number =>
  given === "auto" ? Math.max(2, Math.min(10, Math.floor(500 / k))) : given;

function reduce({ rowCount, points }: Streamed, values: KMeansValues, context: TrainingContext): Centroids {
  const { k, feature_dim: width } = values;
  if (rowCount < k) throw new ClientError(`the channel 'train' holds only ${rowCount} records, fewer than k=${k}`);
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

async function writeAndEvaluate(values: KMeansValues, all: Streamed, context: TrainingContext): Promise<void> {
  const centroids = reduce(all, values, context);
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
    if (context.stop.aborted && all.points.count < values.k) {
      context.log.warn(`asked to stop after ${all.rowCount} records: too few for a model`);
      return;
    }
    if (all.rowCount === 0) throw new ClientError(`the channel 'train' holds no records: ${await train.whyEmpty()}`);
    await writeAndEvaluate(values, all, context);
  } finally {
    exchange.close();
  }
}
