// Rows of the `tasks` table: one per running instance, from before its start until its owner has settled.
import type { Reader, Store, Writer } from "../../../database/store.ts";
import type { Random } from "../../../lib/random.ts";
import type { TaskEnd } from "../../../task/report.ts";
import { recordInstance } from "../cost/charge.ts";
import { discardBlobs, keepBlob } from "./kept-blobs.ts";
import { nothingObserved, type ObservedTask, type PartName } from "./observed-task.ts";
import type { TaskRow } from "./task-owner.ts";
import type { Blob } from "../../../storage/storage.ts";

export interface TaskPlace {
  readonly ownerUid: string;
  readonly account: string;
  readonly region: string;
  /** Of instances that are paid for by their own time, by key. */
  readonly instanceTypes?: Readonly<Record<string, string>>;
}

export const observedOf = (task: TaskRow): ObservedTask => JSON.parse(task.observed) as ObservedTask;

/** Of those that have ended. */
export const endsOf = (tasks: readonly TaskRow[]): TaskEnd[] =>
  tasks.map((task) => observedOf(task).end).filter((end) => end !== undefined);

/** Inserts the rows that are missing and answers all of them, in the order of the keys: a repeated launch finds the tokens of the first. */
export async function ensureTasks(
  { store, random }: { readonly store: Store; readonly random: Random },
  place: TaskPlace,
  keys: readonly string[],
  now: Date,
): Promise<TaskRow[]> {
  const rows = await store.write(async (tx) => {
    for (const key of keys) {
      await tx
        .insertInto("tasks")
        .values({
          key,
          owner_uid: place.ownerUid,
          account: place.account,
          region: place.region,
          token: random.bytes(32).toString("base64url"),
          sequence: 0,
          observed: JSON.stringify(nothingObserved),
          stop_requested: 0,
          created_at: now.getTime(),
          instance_type: place.instanceTypes?.[key] ?? null,
        })
        .onConflict((conflict) => conflict.column("key").doNothing())
        .execute();
    }
    return tasksOf(tx, place.ownerUid);
  });
  const byKey = new Map(rows.map((row) => [row.key, row]));
  return keys.map((key) => byKey.get(key)).filter((row) => row !== undefined);
}

export const findTask = (reader: Reader, key: string): Promise<TaskRow | undefined> =>
  reader.selectFrom("tasks").selectAll().where("key", "=", key).executeTakeFirst();

export const tasksOf = (reader: Reader, ownerUid: string): Promise<TaskRow[]> =>
  reader.selectFrom("tasks").selectAll().where("owner_uid", "=", ownerUid).execute();

/** The agents learn it with the answer to their next report. */
export async function requestStop(tx: Writer, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await tx.updateTable("tasks").set({ stop_requested: 1 }).where("key", "in", keys).execute();
}

export async function saveObserved(tx: Writer, key: string, observed: ObservedTask, sequence?: number): Promise<void> {
  await tx
    .updateTable("tasks")
    .set({ observed: JSON.stringify(observed), ...(sequence === undefined ? {} : { sequence }) })
    .where("key", "=", key)
    .execute();
}

/** Parts are pinned apart from a job's input, which is let go first. */
const partsOwner = (ownerUid: string): string => `${ownerUid}/parts`;

/** A part that came in replaces the one before; the pin keeps its blob until the owner settles. */
export async function savePart(tx: Writer, task: TaskRow, part: PartName, blob: Blob, now: Date): Promise<void> {
  const observed = observedOf(task);
  await keepBlob(tx, partsOwner(task.owner_uid), blob.id);
  const before = observed.parts[part];
  if (before) await discardBlobs(tx, [before.id], now);
  await saveObserved(tx, task.key, { ...observed, parts: { ...observed.parts, [part]: blob } });
}

/** Part of the transaction that settles or deletes the owner: its tasks are known no more, their parts become garbage. */
export async function deleteTasks(tx: Writer, tasks: readonly TaskRow[], now: Date): Promise<void> {
  for (const task of tasks) {
    const blobIds = Object.values(observedOf(task).parts).map((part) => part.id);
    await discardBlobs(tx, blobIds, now);
    await recordInstance(tx, task, now);
    await tx.deleteFrom("tasks").where("key", "=", task.key).execute();
  }
}
