// Capacity in instances. A job is granted all of its instances or none, first come first served.
import { sql } from "kysely";
import type { Store, Writer } from "../database/store.ts";
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
}

export interface Capacity {
  readonly limits: CapacityLimits;
  /** Takes a place in the line (once) and says whether the instances are ours. Safe to repeat. */
  request(pool: Pool, ownerUid: string, instances: number): Promise<CapacityAnswer>;
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
    .values({ owner_uid: ownerUid, pool, instances, queued_at: now.getTime(), granted_at: null })
    .onConflict((conflict) => conflict.column("owner_uid").doNothing())
    .execute();
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

export function createCapacity(options: { store: Store; clock: Clock; limits: CapacityLimits }): Capacity {
  const { store, clock, limits } = options;

  const request: Capacity["request"] = (pool, ownerUid, instances) =>
    store.write(async (tx) => {
      const now = clock.now().getTime();
      await queueForCapacity(tx, pool, ownerUid, instances, clock.now());
      const limit = limits[pool];
      let used = await heldIn(tx, pool);
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
        if (used + waiting.instances > limit) break;
        used += waiting.instances;
        ahead++;
        await tx
          .updateTable("reservations")
          .set({ granted_at: now })
          .where("owner_uid", "=", waiting.owner_uid)
          .execute();
        if (waiting.owner_uid !== ownerUid) {
          await sql`update resources set wake_at = ${now}, generation = generation + 1 where uid = ${waiting.owner_uid}`.execute(
            tx,
          );
        }
      }
      const place = line.findIndex((waiting) => waiting.owner_uid === ownerUid);
      const isGranted = place < ahead;
      return { isGranted, ahead: isGranted ? 0 : place - ahead, used, limit };
    });

  const resize: Capacity["resize"] = (pool, ownerUid, instances) =>
    store.write(async (tx) => {
      const others = await heldIn(tx, pool, ownerUid);
      if (others + instances > limits[pool]) return false;
      const now = clock.now().getTime();
      await tx
        .insertInto("reservations")
        .values({ owner_uid: ownerUid, pool, instances, queued_at: now, granted_at: now })
        .onConflict((conflict) => conflict.column("owner_uid").doUpdateSet({ instances, granted_at: now }))
        .execute();
      return true;
    });

  return { limits, request, resize };
}
