// The instances of a new job: whether there can ever be so many, and its place in the line for them.
import type { Writer } from "../../../database/store.ts";
import { queueForCapacity } from "../../../engine/capacity.ts";
import type { SagemakerContext } from "../context.ts";
import { tooManyInstances, type Usage } from "../instance-limit.ts";
import { maxInstances } from "./job-network.ts";

export interface Instances {
  /** e.g. ml.m5.large */
  readonly type: string;
  readonly count: number;
}

/** Throws AWS's ResourceLimitExceeded. */
export function checkInstances(usage: Usage, instances: Instances, { capacity }: SagemakerContext): void {
  const limit = Math.min(capacity.limits.jobs, maxInstances);
  if (instances.count > limit) throw tooManyInstances(usage, instances, limit);
}

/** Alongside a new row: the place in the line is that of the request, whichever job's reconciler comes to ask first. */
export const inLine =
  ({ count }: Instances, { clock }: SagemakerContext) =>
  (tx: Writer, uid: string): Promise<void> =>
    queueForCapacity(tx, "jobs", uid, count, clock.now());

/** FailureReason of a job that asks for more than there is. */
export const neverFits = (count: number, limit: number): string =>
  `CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type. (${count} instances; this Salvia has ${limit})`;
