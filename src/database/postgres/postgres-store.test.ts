import { sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { NewerDatabaseError } from "../migrate.ts";
import { findSetting, settingOrMade } from "../settings.ts";
import { describeStore } from "../store.contract.ts";
import { freshDatabase, openTestStore, testServerUrl } from "../store.fake.ts";
import type { Store } from "../store.ts";
import { openPostgresStore } from "./postgres-store.ts";

const emptyDatabase = (): Promise<string> => freshDatabase(testServerUrl() ?? "");

const openOn = async (url: string): Promise<Store> => openPostgresStore({ url, clock: systemClock, log: silentLog });

/** Two servers' stores on one database, closed after the test. */
async function twoStores(): Promise<readonly [Store, Store]> {
  const url = await emptyDatabase();
  // Both find an empty database and migrate it.
  const stores = await Promise.all([openOn(url), openOn(url)]);
  onTestFinished(async () => {
    await Promise.all(stores.map((store) => store.close()));
  });
  return stores;
}

describeStore("Postgres", () => openTestStore({ clock: systemClock }));

test("servers that open an empty database at once make its tables once", async () => {
  const [a, b] = await twoStores();
  const { rows } = await sql<{ name: string }>`select name from migrations`.execute(a.read);
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  expect((await b.read.selectFrom("resources").selectAll().execute()).length).toBe(0);
});

test("a setting that two servers make at once is one", async () => {
  const [a, b] = await twoStores();
  const made = await Promise.all(
    [a, b].flatMap((store, at) => [1, 2, 3].map((n) => settingOrMade(store, "secret", () => `made by ${at} ${n}`))),
  );
  expect(new Set(made).size).toBe(1);
});

test("what a work reads stays true until it is committed, whatever other servers write", async () => {
  const [a, b] = await twoStores();
  await a.write((tx) => tx.insertInto("settings").values({ key: "count", value: "0" }).execute());
  const increment = (store: Store): Promise<unknown> =>
    store.write(async (tx) => {
      const count = Number(await findSetting(tx, "count"));
      await tx
        .updateTable("settings")
        .set({ value: String(count + 1) })
        .where("key", "=", "count")
        .execute();
    });
  for (let round = 0; round < 20; round++) await Promise.all([a, b, a, b].map(increment));
  expect(await findSetting(b.read, "count")).toBe("80");
});

test("connections that the database drops are made anew, and only what was under way fails", async () => {
  const [a, b] = await twoStores();
  await settingOrMade(a, "k", () => "v");
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`.execute(
    b.read,
  );
  await expect.poll(() => findSetting(a.read, "k").catch(() => undefined), { timeout: 5_000 }).toBe("v");
  await expect(a.write((tx) => tx.deleteFrom("settings").where("key", "=", "k").execute())).resolves.toBeDefined();
});

test("a server that hangs inside a transaction lets the others go on", async () => {
  const [a, b] = await twoStores();
  let wake = (): void => {};
  const hung = a.write(async () => new Promise<void>((resolve) => (wake = resolve)));
  const failed = expect(hung).rejects.toThrow();
  await systemClock.sleep(200);
  await expect(settingOrMade(b, "k", () => "v")).resolves.toBe("v");
  wake();
  await failed;
}, 20_000);

test("a NUL in a text becomes the replacement character, for Postgres keeps none", async () => {
  const [a] = await twoStores();
  await settingOrMade(a, "k", () => "a\0b");
  expect(await findSetting(a.read, "k")).toBe("a\u{fffd}b");
});

test("a database of a newer Salvia is refused", async () => {
  const url = await emptyDatabase();
  const store = await openOn(url);
  await store.write((tx) => sql`insert into migrations (name, applied_at) values ('9999-tomorrow', 0)`.execute(tx));
  await store.close();
  await expect(openOn(url)).rejects.toThrow(NewerDatabaseError);
});
