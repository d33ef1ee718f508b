// What instances cost somebody: written when they are given back, in the same transaction, so that it outlives the job or the endpoint.
import { findResourceByUid, type ResourceRow } from "../../../database/resources.ts";
import type { Writer } from "../../../database/store.ts";
import type { ChargesTable } from "../../../database/tables/charges.ts";
import type { TaskRow } from "../tasks/task-owner.ts";

/** Times of a job, or of the warm pool that it left, as somebody pays for them, each per instance. */
export interface Metered {
  readonly isPool?: boolean;
  readonly instanceType: string;
  readonly instances: number;
  readonly startedAt: Date;
  /** Undefined: it goes on. */
  readonly endedAt: Date | undefined;
  /** What is paid; the span less `savedSeconds` and pauses. */
  readonly billedSeconds: number;
  /** What spot capacity saved. */
  readonly savedSeconds: number;
}

const kindOf = ({ kind }: ResourceRow): string => kind.slice(kind.indexOf("/") + 1);

export const chargeOf = (owner: ResourceRow, metered: Metered, now: Date): ChargesTable => ({
  id: metered.isPool === true ? `${owner.uid}/pool` : owner.uid,
  account: owner.account,
  region: owner.region,
  kind: metered.isPool === true ? "warm-pool" : kindOf(owner),
  name: owner.name,
  instance_type: metered.instanceType,
  instances: metered.instances,
  started_at: metered.startedAt.getTime(),
  ended_at: (metered.endedAt ?? now).getTime(),
  billed_seconds: metered.billedSeconds,
  saved_seconds: metered.savedSeconds,
  tags: owner.tags,
});

/** One instance of an endpoint, from its start. */
export const chargeOfInstance = (task: TaskRow, owner: ResourceRow | undefined, now: Date): ChargesTable => ({
  id: task.key,
  account: task.account,
  region: task.region,
  kind: owner ? kindOf(owner) : "endpoint",
  name: owner?.name ?? "(deleted)",
  instance_type: task.instance_type ?? "",
  instances: 1,
  started_at: task.created_at,
  ended_at: now.getTime(),
  billed_seconds: Math.max(0, (now.getTime() - task.created_at) / 1_000),
  saved_seconds: 0,
  tags: owner?.tags ?? "[]",
});

/** Safe to repeat: the latest is true. */
async function save(tx: Writer, charge: ChargesTable): Promise<void> {
  const { id: _, ...rest } = charge;
  await tx
    .insertInto("charges")
    .values(charge)
    .onConflict((conflict) => conflict.column("id").doUpdateSet(rest))
    .execute();
}

/** Part of the transaction that settles a job, or ends its pool; nothing for what never began or goes on. */
export async function recordJob(tx: Writer, uid: string, metered: readonly Metered[], now: Date): Promise<void> {
  const ended = metered.filter(({ endedAt }) => endedAt);
  const owner = ended.length === 0 ? undefined : await findResourceByUid(tx, uid);
  if (owner) for (const each of ended) await save(tx, chargeOf(owner, each, now));
}

/** Part of the transaction that forgets an instance of an endpoint. */
export async function recordInstance(tx: Writer, task: TaskRow, now: Date): Promise<void> {
  if (task.instance_type === null) return;
  await save(tx, chargeOfInstance(task, await findResourceByUid(tx, task.owner_uid), now));
}
