// What is configured for a bucket beside its objects, by name: "policy", "cors", "metrics/ID".
import type { Reader, Writer } from "../../../database/store.ts";
import { prefixEnd } from "../listing/key-order.ts";

export async function findSetting(reader: Reader, bucket: string, name: string): Promise<string | undefined> {
  const row = await reader
    .selectFrom("bucket_settings")
    .select("value")
    .where("bucket", "=", bucket)
    .where("name", "=", name)
    .executeTakeFirst();
  return row?.value;
}

export async function saveSetting(tx: Writer, bucket: string, name: string, value: string, now: Date): Promise<void> {
  const changed = { value, changed_at: now.getTime() };
  await tx
    .insertInto("bucket_settings")
    .values({ bucket, name, ...changed })
    .onConflict((conflict) => conflict.columns(["bucket", "name"]).doUpdateSet(changed))
    .execute();
}

export async function removeSetting(tx: Writer, bucket: string, name: string): Promise<void> {
  await tx.deleteFrom("bucket_settings").where("bucket", "=", bucket).where("name", "=", name).execute();
}

export async function removeAllSettings(tx: Writer, bucket: string): Promise<void> {
  await tx.deleteFrom("bucket_settings").where("bucket", "=", bucket).execute();
}

/** The values whose names start with `start`, in the order of their names. */
export async function settingsBelow(reader: Reader, bucket: string, start: string): Promise<readonly string[]> {
  const rows = await reader
    .selectFrom("bucket_settings")
    .select(["name", "value"])
    .where("bucket", "=", bucket)
    .where("name", ">=", start)
    .where("name", "<", prefixEnd(start) ?? start)
    .orderBy("name")
    .execute();
  return rows.map((row) => row.value);
}
