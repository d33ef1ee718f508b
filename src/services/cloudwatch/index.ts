// Front door of CloudWatch: the service, the way for other rooms to put metrics, and the sweeper.
import type { Store } from "../../database/store.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import { defineService, type Service } from "../service.ts";
import { getMetricData } from "./get-metric-data.ts";
import { getMetricStatistics } from "./get-metric-statistics.ts";
import { listMetrics } from "./list-metrics.ts";
import { createMetrics, createPointStore, type Metrics } from "./metric-points.ts";
import { putMetricData } from "./put-metric-data.ts";
import { sweep } from "./sweep.ts";

export type { MetricData, Metrics } from "./metric-points.ts";

export interface CloudWatchOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

export interface CloudWatch {
  readonly service: Service;
  readonly metrics: Metrics;
  /** Removes points past the 455 days that CloudWatch keeps; to be called once a day or so. */
  sweep(): Promise<void>;
}

export function createCloudWatch({ store, clock, random }: CloudWatchOptions): CloudWatch {
  const points = createPointStore({ clock, random });
  const operations = [putMetricData(points), getMetricStatistics, getMetricData, listMetrics];
  return {
    service: defineService("cloudwatch", operations, {}),
    metrics: createMetrics(points),
    sweep: () => sweep(store, clock.now()),
  };
}
