// Front door of CloudWatch Logs: the service, the way for other rooms to write lines, and the sweeper.
import type { Store } from "../../database/store.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import { defineService, type Service } from "../service.ts";
import { createLogGroup } from "./create-log-group.ts";
import { createLogStream } from "./create-log-stream.ts";
import { deleteLogGroup } from "./delete-log-group.ts";
import { deleteLogStream } from "./delete-log-stream.ts";
import { describeLogGroups } from "./describe-log-groups.ts";
import { describeLogStreams } from "./describe-log-streams.ts";
import { filterLogEvents } from "./filter-log-events.ts";
import { getLogEvents } from "./get-log-events.ts";
import type { AnyReconciler } from "../../engine/reconciler.ts";
import { describeQueries, getQueryResults, startQuery, stopQuery } from "./insights/operations.ts";
import { queryReconciler } from "./insights/query.reconciler.ts";
import { startLiveTail } from "./live-tail/start-live-tail.ts";
import { createLogLines, type LogLines } from "./log-lines.ts";
import { putLogEvents } from "./put-log-events.ts";
import { deleteRetentionPolicy, putRetentionPolicy } from "./retention-policy.ts";
import { sweep } from "./sweep.ts";
import { tagOperations } from "./tags.ts";

export type { LogLines } from "./log-lines.ts";

export interface LogsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Logs {
  readonly service: Service;
  readonly lines: LogLines;
  readonly reconcilers: readonly AnyReconciler[];
  /** Removes lines past their retention, those of deleted streams, and results of old queries; to be called now and then (every few minutes). */
  sweep(): Promise<void>;
}

const operations = [
  createLogGroup,
  describeLogGroups,
  deleteLogGroup,
  createLogStream,
  describeLogStreams,
  deleteLogStream,
  putLogEvents,
  getLogEvents,
  filterLogEvents,
  putRetentionPolicy,
  deleteRetentionPolicy,
  startQuery,
  getQueryResults,
  stopQuery,
  describeQueries,
  startLiveTail,
  ...tagOperations,
];

export function createLogs({ store, clock, random }: LogsOptions): Logs {
  return {
    service: defineService("logs", operations, {}),
    lines: createLogLines({ clock, random }),
    reconcilers: [queryReconciler(store, clock)],
    sweep: () => sweep(store, clock.now()),
  };
}
