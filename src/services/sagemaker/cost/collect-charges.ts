// All charges of an account in a time: those that are written, and what runs now. Page by page: years of jobs need no memory.
import type { Reader } from "../../../database/store.ts";
import type { ResourceRow } from "../../../database/resources.ts";
import type { ChargesTable } from "../../../database/tables/charges.ts";
import { unpack } from "../../../lib/stored-json.ts";
import type { JobStatus } from "../jobs/job-kind.ts";
import type { ProcessingJobSpec } from "../processing-job/processing-job.resource.ts";
import type { TrainingJobSpec, TrainingJobStatus } from "../training-job/training-job.resource.ts";
import type { TransformJobSpec } from "../transform-job/transform-job.resource.ts";
import { chargeOf, chargeOfInstance, type Metered } from "./charge.ts";
import { meterProcessing, meterTraining, meterTransform } from "./job-meters.ts";

export interface Charge extends ChargesTable {
  readonly isRunning: boolean;
}

export interface ChargesWanted {
  readonly account: string;
  readonly from: Date;
  readonly to: Date;
  readonly now: Date;
}

const pageRows = 1_000;

const meters: Readonly<Record<string, (row: ResourceRow, now: Date) => Metered | undefined>> = {
  "sagemaker/training-job": (row, now) =>
    meterTraining(unpack(row.spec) as TrainingJobSpec, unpack(row.status) as TrainingJobStatus, now),
  "sagemaker/processing-job": (row, now) =>
    meterProcessing(unpack(row.spec) as ProcessingJobSpec, unpack(row.status) as JobStatus, now),
  "sagemaker/transform-job": (row, now) =>
    meterTransform(unpack(row.spec) as TransformJobSpec, unpack(row.status) as JobStatus, now),
};

async function* written(reader: Reader, { account, from, to }: ChargesWanted): AsyncGenerator<ChargesTable> {
  let after: { readonly endedAt: number; readonly id: string } = { endedAt: from.getTime(), id: "" };
  for (;;) {
    const { endedAt, id } = after;
    const page = await reader
      .selectFrom("charges")
      .selectAll()
      .where("account", "=", account)
      .where("ended_at", ">=", endedAt)
      .where((eb) => eb.or([eb("ended_at", ">", endedAt), eb("id", ">", id)]))
      .where("started_at", "<", to.getTime())
      .orderBy("ended_at")
      .orderBy("id")
      .limit(pageRows)
      .execute();
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < pageRows) return;
    after = { endedAt: last.ended_at, id: last.id };
  }
}

async function* running(reader: Reader, { account, now }: ChargesWanted): AsyncGenerator<ChargesTable> {
  const jobs = await reader
    .selectFrom("resources")
    .selectAll()
    .where("account", "=", account)
    .where("kind", "in", Object.keys(meters))
    .where("state", "in", ["InProgress", "Stopping"])
    .execute();
  for (const row of jobs) {
    const metered = meters[row.kind]?.(row, now);
    if (metered) yield chargeOf(row, metered, now);
  }
  const tasks = await reader
    .selectFrom("tasks")
    .selectAll()
    .where("account", "=", account)
    .where("instance_type", "is not", null)
    .execute();
  const uids = [...new Set(tasks.map((task) => task.owner_uid))];
  if (uids.length === 0) return;
  const owners = await reader.selectFrom("resources").selectAll().where("uid", "in", uids).execute();
  const byUid = new Map(owners.map((owner) => [owner.uid, owner]));
  for (const task of tasks) yield chargeOfInstance(task, byUid.get(task.owner_uid), now);
}

export async function* collectCharges(reader: Reader, wanted: ChargesWanted): AsyncGenerator<Charge> {
  for await (const charge of written(reader, wanted)) yield { ...charge, isRunning: false };
  for await (const charge of running(reader, wanted))
    if (charge.started_at < wanted.to.getTime() && charge.ended_at >= wanted.from.getTime())
      yield { ...charge, isRunning: true };
}
