// Leases: columns of a resource's row that say which server reconciles it now. The same statements on every database.
import type { Reader, Store, Writer } from "./store.ts";
import type { ResourceRow } from "./resources.ts";

export interface Lease {
  readonly uid: string;
  readonly token: string;
  readonly generation: number;
}

export interface SavedOutcome {
  readonly status: string;
  readonly state: string;
  readonly wakeAt: number | null;
  readonly now: number;
  readonly failures: number;
  /** The status is another than before, so LastModifiedTime moves. */
  readonly isChanged: boolean;
}

/** Uids that are due and not leased, the longest due first. */
export async function dueResources(reader: Reader, now: number, limit: number): Promise<string[]> {
  const rows = await reader
    .selectFrom("resources")
    .select("uid")
    .where("wake_at", "<=", now)
    .where((eb) => eb.or([eb("lease_until", "is", null), eb("lease_until", "<", now)]))
    .orderBy("wake_at")
    .limit(limit)
    .execute();
  return rows.map((row) => row.uid);
}

/** The earliest moment at which some resource that nobody holds becomes due. */
export async function nextWakeAt(reader: Reader): Promise<number | undefined> {
  const row = await reader
    .selectFrom("resources")
    .select((eb) => eb.fn.min("wake_at").as("wake_at"))
    .where("wake_at", "is not", null)
    .where("lease_token", "is", null)
    .executeTakeFirst();
  return row?.wake_at ?? undefined;
}

/** The row, now leased until `until`; undefined when another server was faster or nothing is due any more. */
export async function takeLease(
  tx: Writer,
  uid: string,
  token: string,
  now: number,
  until: number,
): Promise<ResourceRow | undefined> {
  return tx
    .updateTable("resources")
    .set({ lease_token: token, lease_until: until })
    .where("uid", "=", uid)
    .where("wake_at", "<=", now)
    .where((eb) => eb.or([eb("lease_until", "is", null), eb("lease_until", "<", now)]))
    .returningAll()
    .executeTakeFirst();
}

/** False means that another server took over. */
export async function renewLease(tx: Writer, uid: string, token: string, until: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable("resources")
    .set({ lease_until: until })
    .where("uid", "=", uid)
    .where("lease_token", "=", token)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Writes the outcome only if the lease is still ours; false means another server took over. */
export async function saveOutcome(tx: Writer, lease: Lease, outcome: SavedOutcome): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable("resources")
    .set((eb) => ({
      status: outcome.status,
      state: outcome.state,
      failures: outcome.failures,
      ...(outcome.isChanged ? { modified_at: outcome.now } : {}),
      // A request that arrived during the pass must not be slept through.
      wake_at: eb
        .case()
        .when("generation", "=", lease.generation)
        .then(eb.cast<number | null>(eb.val(outcome.wakeAt), "bigint"))
        .else(eb.cast<number | null>(eb.val(outcome.now), "bigint"))
        .end(),
      lease_token: null,
      lease_until: null,
    }))
    .where("uid", "=", lease.uid)
    .where("lease_token", "=", lease.token)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Deletes the row only if the lease is still ours. */
export async function deleteLeased(tx: Writer, lease: Lease): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom("resources")
    .where("uid", "=", lease.uid)
    .where("lease_token", "=", lease.token)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

/** Frees what one server holds: its tokens begin with its id and a slash. */
export async function clearLeasesOf(tx: Writer, serverId: string): Promise<void> {
  await tx
    .updateTable("resources")
    .set({ lease_token: null, lease_until: null })
    .where("lease_token", ">", `${serverId}/`)
    // The character after the slash.
    .where("lease_token", "<", `${serverId}0`)
    .execute();
}

/** One server alone owns an embedded database, so whatever is leased at its start was leased by a dead one. */
export async function clearLeases(store: Store): Promise<void> {
  await store.write(async (tx) => {
    await tx
      .updateTable("resources")
      .set({ lease_token: null, lease_until: null })
      .where("lease_token", "is not", null)
      .execute();
  });
}
