// All charges of an account in a time: those that are written, and what goes on. Page by page: years of jobs need no memory. What goes on is
// read first, so that a job that ends meanwhile is found in both, and counted once, by what was written.
import type { Reader } from "../../../database/store.ts";
import { findResourceByUid, type ResourceRow } from "../../../database/resources.ts";
import type { ChargesTable } from "../../../database/tables/charges.ts";
import { unpack } from "../../../lib/stored-json.ts";
import type { TaskRow } from "../tasks/task-owner.ts";
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

const meters: Readonly<Record<string, (row: ResourceRow, now: Date) => readonly Metered[]>> = {
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

/** Rows in the order of a column without repetitions, page by page. */
async function* paged<Row>(
  page: (after: string) => Promise<readonly Row[]>,
  keyOf: (row: Row) => string,
): AsyncGenerator<Row> {
  for (let after = ""; ;) {
    const rows = await page(after);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageRows) return;
    after = keyOf(last);
  }
}

/** Jobs that have not ended; most of them may be waiting. */
const goingOn = (reader: Reader, account: string): AsyncGenerator<ResourceRow> =>
  paged(
    (after) =>
      reader
        .selectFrom("resources")
        .selectAll()
        .where("account", "=", account)
        .where("kind", "in", Object.keys(meters))
        .where("state", "in", ["InProgress", "Stopping"])
        .where("uid", ">", after)
        .orderBy("uid")
        .limit(pageRows)
        .execute(),
    ({ uid }) => uid,
  );

/** Jobs that have ended and left a warm pool that waits. */
const withPools = (reader: Reader, account: string): Promise<ResourceRow[]> =>
  reader
    .selectFrom("resources")
    .innerJoin("reservations", "reservations.owner_uid", "resources.uid")
    .selectAll("resources")
    .where("resources.account", "=", account)
    .where("reservations.retained_for", "is not", null)
    .execute();

/** Instances that are paid for by their own time. */
const instances = (reader: Reader, account: string): AsyncGenerator<TaskRow> =>
  paged(
    (after) =>
      reader
        .selectFrom("tasks")
        .selectAll()
        .where("account", "=", account)
        .where("instance_type", "is not", null)
        .where("key", ">", after)
        .orderBy("key")
        .limit(pageRows)
        .execute(),
    ({ key }) => key,
  );

/** By their ids. */
async function running(reader: Reader, { account, now }: ChargesWanted): Promise<Map<string, ChargesTable>> {
  const found = new Map<string, ChargesTable>();
  const meter = (row: ResourceRow): void => {
    for (const metered of meters[row.kind]?.(row, now) ?? []) {
      const charge = chargeOf(row, metered, now);
      if (metered.endedAt === undefined) found.set(charge.id, charge);
    }
  };
  for await (const row of goingOn(reader, account)) meter(row);
  for (const row of await withPools(reader, account)) meter(row);
  const owners = new Map<string, Promise<ResourceRow | undefined>>();
  for await (const task of instances(reader, account)) {
    let owner = owners.get(task.owner_uid);
    if (!owner) owners.set(task.owner_uid, (owner = findResourceByUid(reader, task.owner_uid)));
    found.set(task.key, chargeOfInstance(task, await owner, now));
  }
  return found;
}

export async function* collectCharges(reader: Reader, wanted: ChargesWanted): AsyncGenerator<Charge> {
  const now = await running(reader, wanted);
  for await (const charge of written(reader, wanted)) {
    now.delete(charge.id);
    yield { ...charge, isRunning: false };
  }
  for (const charge of now.values())
    if (charge.started_at < wanted.to.getTime() && charge.ended_at >= wanted.from.getTime())
      yield { ...charge, isRunning: true };
}
