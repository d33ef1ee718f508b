// The metrics of the test channel. The kernels find each row's nearest centroid; its distance is then taken in double
// precision, so that the figure does not depend on the kernel.
import { availableParallelism } from "node:os";
import { CentroidAssigner, layOut } from "../../kernels/centroid-assigner.ts";
import { createThreadRunner } from "../../kernels/thread-runner.ts";
import type { TrainingContext } from "../algorithm.ts";
import type { Channel, RowGroup } from "../channel.ts";
import { ClientError } from "../client-error.ts";
import { inBatches } from "./batches.ts";
import { type Centroids, distanceTo } from "./kmeans-model.ts";
import type { KMeansValues } from "./kmeans-values.ts";
import { assignRows } from "./row-block.ts";
import { isInRange, outOfRange, planFor, type RowPlan, squaredNorm } from "./row-plan.ts";

const batchRows = 5_000;

export interface Score {
  readonly rowCount: number;
  /** Sum of the squared distances to the nearest centroids. */
  readonly squared: number;
}

function planOf({ rows }: RowGroup, width: number, forceDense: boolean): RowPlan {
  return planFor(
    rows.slice(0, 1_000).filter((row) => isInRange(squaredNorm(row))),
    width,
    forceDense,
  );
}

/** Scores every row. Throws ClientError for a row with values out of range. Ends early when asked to stop. */
export async function scoreRows(
  centroids: Centroids,
  groups: AsyncIterable<RowGroup>,
  { forceDense, stop }: { readonly forceDense: boolean; readonly stop: AbortSignal },
): Promise<Score> {
  const { k, width, values } = centroids;
  const layout = layOut({ width, centroidCount: k, wantedRows: batchRows });
  const assigner = new CentroidAssigner(layout, createThreadRunner(layout, availableParallelism()));
  const squaredTo = distanceTo(centroids);
  let plan: RowPlan | undefined;
  let rowCount = 0;
  let squared = 0;
  try {
    for await (const batch of inBatches(groups, batchRows)) {
      if (!plan) {
        plan = planOf(batch, width, forceDense);
        const { offset } = plan;
        assigner.setCentroids(offset ? values.map((value, at) => value - offset[at % width]!) : values);
      }
      await assignRows(assigner, plan, batch.rows, false, (block, first) => {
        for (let index = 0; index < block.length; index++) {
          const distance = squaredTo(batch.rows[first + index]!, assigner.nearest[index]!);
          if (!isInRange(distance)) throw outOfRange(batch, first + index);
          squared += distance;
        }
      });
      rowCount += batch.rows.length;
      if (stop.aborted) break;
    }
  } finally {
    assigner.close();
  }
  return { rowCount, squared };
}

/** Logs the metrics asked for; none when the job is asked to stop before the end. */
export async function evaluate(
  values: KMeansValues,
  centroids: Centroids,
  channel: Channel,
  { log, stop }: TrainingContext,
): Promise<void> {
  const groups = channel.rows(0, { width: values.feature_dim, csvLabelSize: 1 });
  const { rowCount, squared } = await scoreRows(centroids, groups, { forceDense: values.force_dense, stop });
  if (stop.aborted) return;
  if (rowCount === 0) throw new ClientError(`the channel 'test' holds no records: ${await channel.whyEmpty()}`);
  log.info(`evaluated ${rowCount} test records`);
  if (values.eval_metrics.includes("msd")) log.metric("test msd", squared / rowCount);
  if (values.eval_metrics.includes("ssd")) log.metric("test ssd", squared);
}
