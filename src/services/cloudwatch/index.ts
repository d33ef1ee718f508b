// Front door of CloudWatch: the service, the way for other rooms to put metrics, and the sweeper.
import type { Store } from "../../database/store.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import { defineService, type Service } from "../service.ts";
import type { AnyReconciler } from "../../engine/reconciler.ts";
import { alarmReconciler } from "./alarms/alarm.reconciler.ts";
import {
  deleteAlarms,
  disableAlarmActions,
  enableAlarmActions,
  listTagsForResource,
  setAlarmState,
  tagResource,
  untagResource,
} from "./alarms/change-alarms.ts";
import { describeAlarmHistory } from "./alarms/describe-alarm-history.ts";
import { describeAlarms, describeAlarmsForMetric } from "./alarms/describe-alarms.ts";
import { sweepHistory } from "./alarms/history.ts";
import { putMetricAlarm } from "./alarms/put-metric-alarm.ts";
import type { Announce } from "./alarms/save-transition.ts";
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
  /** Where actions of alarms go; none: nothing stands behind any. */
  readonly announce?: Announce;
}

export interface CloudWatch {
  readonly service: Service;
  readonly metrics: Metrics;
  readonly reconcilers: readonly AnyReconciler[];
  /** Removes points past the 455 days that CloudWatch keeps, and history of alarms past its 30; to be called once a day or so. */
  sweep(): Promise<void>;
}

const alarmOperations = [
  putMetricAlarm,
  describeAlarms,
  describeAlarmsForMetric,
  describeAlarmHistory,
  setAlarmState,
  enableAlarmActions,
  disableAlarmActions,
  deleteAlarms,
  tagResource,
  untagResource,
  listTagsForResource,
];

const nobody: Announce = async () => false;

export function createCloudWatch({ store, clock, random, announce = nobody }: CloudWatchOptions): CloudWatch {
  const points = createPointStore({ clock, random });
  const operations = [putMetricData(points), getMetricStatistics, getMetricData, listMetrics, ...alarmOperations];
  return {
    service: defineService("cloudwatch", operations, {}),
    metrics: createMetrics(points),
    reconcilers: [alarmReconciler({ store, clock, random, announce })],
    sweep: async () => {
      await sweep(store, clock.now());
      await sweepHistory(store, clock.now());
    },
  };
}
