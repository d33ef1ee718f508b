// What happened to alarms, kept for as long as CloudWatch does, also for alarms that are gone.
import type { Scope } from "../../../database/resources.ts";
import type { Store, Writer } from "../../../database/store.ts";
import type { HistoryItemType } from "../../../models/generated/cloudwatch.ts";

export interface HistoryEntry {
  /** Unique for the alarm, in order of time. */
  readonly id: string;
  /** ms since 1970 */
  readonly at: number;
  readonly type: HistoryItemType;
  readonly summary: string;
  readonly data: object;
}

const keptMs = 30 * 86_400_000;

/** False where the entry was there already. */
export async function saveHistory(
  tx: Writer,
  { account, region, name, uid }: Scope & { readonly name: string; readonly uid: string },
  { data, ...entry }: HistoryEntry,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto("alarm_history")
    .values({ uid, account, region, name, ...entry, data: JSON.stringify(data) })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return Number(numInsertedOrUpdatedRows) === 1;
}

export async function sweepHistory(store: Store, now: Date): Promise<void> {
  await store.write((tx) =>
    tx
      .deleteFrom("alarm_history")
      .where("at", "<", now.getTime() - keptMs)
      .execute(),
  );
}
