// The streaming phase of k-means: the channel's rows, epoch after epoch, become many weighted centres.
import { availableParallelism } from "node:os";
import { CentroidAssigner, layOut } from "../../kernels/centroid-assigner.ts";
import { createThreadRunner } from "../../kernels/thread-runner.ts";
import { seconds } from "../../lib/clock.ts";
import type { TrainingContext } from "../algorithm.ts";
import type { Channel, RowGroup } from "../channel.ts";
import { inBatches, readAhead, resume, sampleOf } from "./batches.ts";
import type { KMeansValues } from "./kmeans-values.ts";
import type { Streamed } from "./merge-centres.ts";
import { seededUniform } from "./numbers.ts";
import { WebScaleKMeans } from "./web-scale.ts";

export const seed = 20_261_122;
const reportEveryMs = seconds(2);

/** Rows held back until the starting centres are drawn: all of MNIST, so that even data sorted by class starts well. */
const maxHeldBytes = 1 << 28;

/** Rows that the starting centres are drawn from, and numbers that they may have in all. */
const sampleRows = 5_000;
const maxSampleValues = 1 << 26;

/** k-means++ compares every row of its sample with every centre, several times: a smaller one does as well (on MNIST). */
const sampleSizeFor = ({ init_method, feature_dim }: KMeansValues, centreCount: number): number => {
  const wanted = init_method === "random" ? sampleRows : Math.min(sampleRows, Math.max(1_000, 3 * centreCount));
  return Math.max(centreCount, Math.min(wanted, Math.floor(maxSampleValues / feature_dim)));
};

/**
 * `auto`: ten centres for each cluster, fewer where k is large, so that there are at most about a thousand; at least
 * two. More centres describe the data better but cost time in proportion.
 */
const extraCenterFactor = (given: number | "auto", k: number): number =>
  given === "auto" ? Math.max(2, Math.min(10, Math.floor(1_000 / k))) : given;

function createModel(values: KMeansValues, centreCount: number): WebScaleKMeans {
  return new WebScaleKMeans({
    width: values.feature_dim,
    centreCount,
    initMethod: values.init_method,
    halfLifePoints: values.half_life_time_size,
    forceDense: values.force_dense,
    uniform: seededUniform(seed),
    createAssigner: (width, centroidCount) => {
      const layout = layOut({ width, centroidCount, wantedRows: values.mini_batch_size });
      return new CentroidAssigner(layout, createThreadRunner(layout, availableParallelism()));
    },
  });
}

/** Reads ahead, draws the starting centres, and hands out everything that was read and the rest. */
async function beginWith(
  model: WebScaleKMeans,
  groups: AsyncIterator<RowGroup>,
  sampleSize: number,
  { log, clock, stop }: TrainingContext,
): Promise<AsyncIterable<RowGroup>> {
  let reportedMs = clock.monotonicMs();
  const held = await readAhead(groups, maxHeldBytes, stop, (heldRows) => {
    if (clock.monotonicMs() - reportedMs < reportEveryMs) return;
    reportedMs = clock.monotonicMs();
    log.info(`read ${heldRows} records so far, to draw the starting centres from`);
  });
  const sample = sampleOf(held, sampleSize, seededUniform(seed + 2));
  if (sample.length > 0) {
    const kernel = model.begin(sample);
    const heldRows = held.reduce((sum, group) => sum + group.rows.length, 0);
    log.info(`drew the starting centres from a sample of ${sample.length} among the first ${heldRows} records`);
    log.info(kernel);
  }
  return resume(held, groups);
}

/** Ends early, with the centres made so far, when the job is asked to stop. */
export async function streamEpochs(
  values: KMeansValues,
  channel: Channel,
  context: TrainingContext,
): Promise<Streamed> {
  const { log, clock, stop } = context;
  const { feature_dim: width, mini_batch_size: batchSize } = values;
  const centreCount = values.k * extraCenterFactor(values.extra_center_factor, values.k);
  const sampleSize = sampleSizeFor(values, centreCount);
  const model = createModel(values, centreCount);
  let rowCount = 0;
  let reportedMs = clock.monotonicMs();
  try {
    for (let epoch = 0; epoch < values.epochs && !stop.aborted; epoch++) {
      let batches = 0;
      let epochRows = 0;
      let msd = NaN;
      const read = channel.rows(epoch, { width, csvLabelSize: 1 });
      const groups = epoch === 0 ? await beginWith(model, read[Symbol.asyncIterator](), sampleSize, context) : read;
      for await (const batch of inBatches(groups, batchSize)) {
        msd = await model.take(batch);
        batches++;
        epochRows += batch.rows.length;
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
