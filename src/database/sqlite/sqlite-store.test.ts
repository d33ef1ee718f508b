import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { NewerDatabaseError } from "../migrate.ts";
import { findSetting, settingOrMade } from "../settings.ts";
import type { Store } from "../store.ts";
import { openSqliteStore } from "./sqlite-store.ts";

function folderForTest(): string {
  const folder = mkdtempSync(join(tmpdir(), "salvia-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

const openIn = (folder: string): Promise<Store> =>
  openSqliteStore({ file: join(folder, "salvia.db"), clock: systemClock });

const put = (store: Store, key: string, value: string): Promise<unknown> =>
  store.write((tx) => tx.insertInto("settings").values({ key, value }).execute());

test("works of one turn share a transaction, and a throw rolls back its own work alone", async () => {
  const store = await openIn(folderForTest());
  const answers = await Promise.allSettled([
    put(store, "a", "1"),
    store.write(async (tx) => {
      await tx.insertInto("settings").values({ key: "b", value: "2" }).execute();
      throw new Error("changed my mind");
    }),
    put(store, "c", "3"),
  ]);
  expect(answers.map((answer) => answer.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(await findSetting(store.read, "a")).toBe("1");
  expect(await findSetting(store.read, "b")).toBeUndefined();
  expect(await findSetting(store.read, "c")).toBe("3");
  await store.close();
});

test("a reader never sees a work before it is durable", async () => {
  const store = await openIn(folderForTest());
  let seenInside: string | undefined;
  await store.write(async (tx) => {
    await tx.insertInto("settings").values({ key: "a", value: "1" }).execute();
    seenInside = await findSetting(store.read, "a");
  });
  expect(seenInside).toBeUndefined();
  expect(await findSetting(store.read, "a")).toBe("1");
  await store.close();
});

test("what was written is there after the database is opened again", async () => {
  const folder = folderForTest();
  const first = await openIn(folder);
  const made = await settingOrMade(first, "secret", () => "made once");
  await first.close();
  const second = await openIn(folder);
  expect(await settingOrMade(second, "secret", () => "made twice")).toBe(made);
  await second.close();
});

test("two askers for a setting that is not there yet agree on one value", async () => {
  const store = await openIn(folderForTest());
  let count = 0;
  const make = (): string => `value ${++count}`;
  const [a, b] = await Promise.all([settingOrMade(store, "k", make), settingOrMade(store, "k", make)]);
  expect(a).toBe(b);
  await store.close();
});

test("a database of a newer Salvia is refused with a sentence that says what to do", async () => {
  const folder = folderForTest();
  const store = await openIn(folder);
  await store.write((tx) => sql`insert into migrations (name, applied_at) values ('9999-tomorrow', 0)`.execute(tx));
  await store.close();
  await expect(openIn(folder)).rejects.toThrow(NewerDatabaseError);
});

test("ten thousand works asked for at once are all answered", async () => {
  const store = await openSqliteStore({ file: ":memory:", clock: systemClock });
  await Promise.all(Array.from({ length: 10_000 }, (_, at) => put(store, `k${at}`, "v")));
  const row = await store.read
    .selectFrom("settings")
    .select((eb) => eb.fn.countAll<number>().as("n"))
    .executeTakeFirst();
  expect(row?.n).toBe(10_000);
  await store.close();
});
