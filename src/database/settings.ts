// Small installation-wide values: keys, secrets, the installation's id.
import type { Reader, Store, Writer } from "./store.ts";

export async function findSetting(reader: Reader, key: string): Promise<string | undefined> {
  const row = await reader.selectFrom("settings").select("value").where("key", "=", key).executeTakeFirst();
  return row?.value;
}

/** The stored value, or `make()` stored first; two servers on one database agree on one value. */
export async function settingOrMade(store: Store, key: string, make: () => string): Promise<string> {
  const known = await findSetting(store.read, key);
  if (known !== undefined) return known;
  return store.write(async (tx) => {
    await tx
      .insertInto("settings")
      .values({ key, value: make() })
      .onConflict((conflict) => conflict.column("key").doNothing())
      .execute();
    return (await findSetting(tx, key)) ?? "";
  });
}

export async function saveSetting(tx: Writer, key: string, value: string): Promise<void> {
  await tx
    .insertInto("settings")
    .values({ key, value })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ value }))
    .execute();
}
