// Capacity in instances. A job is granted all of its instances or none, first come first served.
import { sql } from "kysely";
import { wakeResource } from "../database/resources.ts";
import type { Reader, Store, Writer } from "../database/store.ts";
import type { Clock } from "../lib/clock.ts";

export type Pool = "jobs" | "hosting";

export interface CapacityLimits {
  /** Instances that jobs may hold together. */
  readonly jobs: number;
  /** Instances that endpoints may hold together. */
  readonly hosting: number;
}

export interface CapacityAnswer {
  readonly isGranted: boolean;
  /** Jobs that stand before this one in the line. */
  readonly ahead: number;
  readonly used: number;
  readonly limit: number;
  /** The owner that had retained them until this request took them over. */
  readonly takenFrom?: string;
}

/** Part of the transaction in which retained instances change hands. */
export type TakenOver = (tx: Writer, formerOwnerUid: string) => Promise<void>;

export interface WantedReservation {
  readonly pool: Pool;
  readonly instances: number;
  /** Retained instances of this key are taken over, past the line: nobody else would have got them. */
  readonly match?: { readonly key: string; readonly takenOver: TakenOver };
}

export interface Capacity {
  readonly limits: CapacityLimits;
  /** Takes a place in the line (once) and says whether the instances are ours. Retained ones make room, the oldest first. Safe to repeat. */
  request(ownerUid: string, wanted: WantedReservation): Promise<CapacityAnswer>;
  /** Sets how many instances an owner holds, without a line: true when they fit. For endpoints that grow or shrink. */
  resize(pool: Pool, ownerUid: string, instances: number): Promise<boolean>;
}

/** Gives the instances back, or leaves the line; part of the transaction that settles or deletes the owner. */
export async function releaseCapacity(tx: Writer, ownerUid: string): Promise<void> {
  const released = await tx
    .deleteFrom("reservations")
    .where("owner_uid", "=", ownerUid)
    .returning("pool")
    .executeTakeFirst();
  if (!released) return;
  // Whoever waits for this room should look now and not at its next interval.
  await sql`update resources set wake_at = 0, generation = generation + 1 where uid in
    (select owner_uid from reservations where pool = ${released.pool} and granted_at is null)`.execute(tx);
}

/** Takes a place in the line, once, as of `now`; part of the transaction that creates the owner. */
export async function queueForCapacity(
  tx: Writer,
  pool: Pool,
  ownerUid: string,
  instances: number,
  now: Date,
): Promise<void> {
  await tx
    .insertInto("reservations")
    .values({ owner_uid: ownerUid, pool, instances, queued_at: now.getTime(), granted_at: null, retained_for: null })
    .onConflict((conflict) => conflict.column("owner_uid").doNothing())
    .execute();
}

/** Keeps what the owner holds for whoever asks with the same key, until somebody else needs the room; part of the transaction that settles it. */
export async function retainCapacity(tx: Writer, ownerUid: string, key: string): Promise<void> {
  await tx.updateTable("reservations").set({ retained_for: key }).where("owner_uid", "=", ownerUid).execute();
}

/** False once others have what was retained. */
export async function holdsCapacity(reader: Reader, ownerUid: string): Promise<boolean> {
  const held = await reader
    .selectFrom("reservations")
    .select("owner_uid")
    .where("owner_uid", "=", ownerUid)
    .where("granted_at", "is not", null)
    .executeTakeFirst();
  return held !== undefined;
}

const heldIn = async (tx: Writer, pool: Pool, except?: string): Promise<number> => {
  const row = await tx
    .selectFrom("reservations")
    .select((eb) => eb.fn.sum<number | null>("instances").as("held"))
    .where("pool", "=", pool)
    .where("granted_at", "is not", null)
    .$if(except !== undefined, (query) => query.where("owner_uid", "!=", except ?? ""))
    .executeTakeFirst();
  return row?.held ?? 0;
};

/** The owner that had retained instances under the key, which belong to this one now. */
async function takeOver(
  tx: Writer,
  ownerUid: string,
  wanted: WantedReservation,
  now: number,
): Promise<string | undefined> {
  const { pool, instances, match } = wanted;
  if (!match || (await holdsCapacity(tx, ownerUid))) return undefined;
  const former = await tx
    .selectFrom("reservations")
    .select("owner_uid")
    .where("pool", "=", pool)
    .where("retained_for", "=", match.key)
    .where("instances", "=", instances)
    .orderBy("granted_at")
    .orderBy("owner_uid")
    .executeTakeFirst();
  if (!former) return undefined;
  await tx.deleteFrom("reservations").where("owner_uid", "=", ownerUid).execute();
  await tx
    .updateTable("reservations")
    .set({ owner_uid: ownerUid, retained_for: null, granted_at: now })
    .where("owner_uid", "=", former.owner_uid)
    .execute();
  await match.takenOver(tx, former.owner_uid);
  return former.owner_uid;
}

interface Retained {
  readonly owner_uid: string;
  readonly instances: number;
}

/** Oldest first. */
const retainedIn = (tx: Writer, pool: Pool): Promise<Retained[]> =>
  tx
    .selectFrom("reservations")
    .select(["owner_uid", "instances"])
    .where("pool", "=", pool)
    .where("retained_for", "is not", null)
    .orderBy("granted_at")
    .orderBy("owner_uid")
    .execute();

/** How many instances became free; none are given up when that would not be enough. */
async function giveUp(tx: Writer, retained: Retained[], missing: number, now: number): Promise<number> {
  if (missing <= 0 || retained.reduce((sum, { instances }) => sum + instances, 0) < missing) return 0;
  let freed = 0;
  while (freed < missing) {
    const oldest = retained.shift();
    if (!oldest) break;
    await tx.deleteFrom("reservations").where("owner_uid", "=", oldest.owner_uid).execute();
    await wakeResource(tx, oldest.owner_uid, now);
    freed += oldest.instances;
  }
  return freed;
}

/** Grants, first come first served, what there is room for. */
async function grantInLine(
  tx: Writer,
  pool: Pool,
  limit: number,
  ownerUid: string,
  now: number,
): Promise<CapacityAnswer> {
  let used = await heldIn(tx, pool);
  const retained = await retainedIn(tx, pool);
  const line = await tx
    .selectFrom("reservations")
    .selectAll()
    .where("pool", "=", pool)
    .where("granted_at", "is", null)
    .orderBy("queued_at")
    .orderBy("owner_uid")
    .execute();
  let ahead = 0;
  for (const waiting of line) {
    used -= await giveUp(tx, retained, used + waiting.instances - limit, now);
    if (used + waiting.instances > limit) break;
    used += waiting.instances;
    ahead++;
    await tx.updateTable("reservations").set({ granted_at: now }).where("owner_uid", "=", waiting.owner_uid).execute();
    if (waiting.owner_uid !== ownerUid) await wakeResource(tx, waiting.owner_uid, now);
  }
  const place = line.findIndex((waiting) => waiting.owner_uid === ownerUid);
  const isGranted = place < ahead;
  return { isGranted, ahead: isGranted ? 0 : place - ahead, used, limit };
}

export function createCapacity(options: { store: Store; clock: Clock; limits: CapacityLimits }): Capacity {
  const { store, clock, limits } = options;

  const request: Capacity["request"] = (ownerUid, wanted) =>
    store.write(async (tx) => {
      const { pool, instances } = wanted;
      const now = clock.now().getTime();
      const limit = limits[pool];
      const takenFrom = await takeOver(tx, ownerUid, wanted, now);
      if (takenFrom !== undefined) return { isGranted: true, ahead: 0, used: await heldIn(tx, pool), limit, takenFrom };
      await queueForCapacity(tx, pool, ownerUid, instances, clock.now());
      return grantInLine(tx, pool, limit, ownerUid, now);
    });

  const resize: Capacity["resize"] = (pool, ownerUid, instances) =>
    store.write(async (tx) => {
      const others = await heldIn(tx, pool, ownerUid);
      if (others + instances > limits[pool]) return false;
      const now = clock.now().getTime();
      await tx
        .insertInto("reservations")
        .values({ owner_uid: ownerUid, pool, instances, queued_at: now, granted_at: now, retained_for: null })
        .onConflict((conflict) => conflict.column("owner_uid").doUpdateSet({ instances, granted_at: now }))
        .execute();
      return true;
    });

  return { limits, request, resize };
}
