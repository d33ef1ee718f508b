// What every store promises. Each dialect's own test file calls this once.
import { describe, expect, test } from "vitest";
import { findSetting, settingOrMade } from "./settings.ts";
import type { Store } from "./store.ts";

const put = (store: Store, key: string, value: string): Promise<unknown> =>
  store.write((tx) => tx.insertInto("settings").values({ key, value }).execute());

/** `open` gives an empty store of its own to each test, whose test closes it. */
export function describeStore(name: string, open: () => Promise<Store>): void {
  describe(`${name} keeps the store's contract`, () => {
    test("works of one turn share a transaction, and a throw rolls back its own work alone", async () => {
      const store = await open();
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
      const store = await open();
      let seenInside: string | undefined;
      await store.write(async (tx) => {
        await tx.insertInto("settings").values({ key: "a", value: "1" }).execute();
        seenInside = await findSetting(store.read, "a");
      });
      expect(seenInside).toBeUndefined();
      expect(await findSetting(store.read, "a")).toBe("1");
      await store.close();
    });

    test("two askers for a setting that is not there yet agree on one value", async () => {
      const store = await open();
      let count = 0;
      const make = (): string => `value ${++count}`;
      const [a, b] = await Promise.all([settingOrMade(store, "k", make), settingOrMade(store, "k", make)]);
      expect(a).toBe(b);
      await store.close();
    });

    test("ten thousand works asked for at once are all answered", async () => {
      const store = await open();
      await Promise.all(Array.from({ length: 10_000 }, (_, at) => put(store, `k${at}`, "v")));
      const row = await store.read
        .selectFrom("settings")
        .select((eb) => eb.fn.countAll<number>().as("n"))
        .executeTakeFirst();
      expect(row?.n).toBe(10_000);
      await store.close();
    });

    test("numbers come back as numbers, however large, and so do their sums", async () => {
      const store = await open();
      const values = { pool: "p", instances: 2, granted_at: null };
      const queued_at = 1_790_000_000_123;
      await store.write(async (tx) => {
        await tx
          .insertInto("reservations")
          .values({ ...values, owner_uid: "a", queued_at })
          .execute();
        await tx
          .insertInto("reservations")
          .values({ ...values, owner_uid: "b", queued_at: queued_at + 1 })
          .execute();
      });
      const row = await store.read
        .selectFrom("reservations")
        .select((eb) => [eb.fn.sum<number>("queued_at").as("sum"), eb.fn.max("queued_at").as("max")])
        .executeTakeFirst();
      expect(row).toEqual({ sum: 2 * queued_at + 1, max: queued_at + 1 });
      await store.close();
    });

    test("text sorts by its UTF-8 bytes, whatever the language", async () => {
      const store = await open();
      const keys = ["a", "B", "b", "ä", "Z", "_", "z", "\u{10ffff}", "\u{ffee}", "a b", "a-b"];
      for (const key of keys) await put(store, key, "");
      const rows = await store.read.selectFrom("settings").select("key").orderBy("key").execute();
      const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(rows.map(({ key }) => key).filter((key) => keys.includes(key))).toEqual(sorted);
      await store.close();
    });

    test("bytes come back as they were", async () => {
      const store = await open();
      const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
      await store.write((tx) => tx.insertInto("small_blobs").values({ id: "x", bytes, created_at: 0 }).execute());
      const row = await store.read.selectFrom("small_blobs").select("bytes").executeTakeFirst();
      expect(Buffer.from(row?.bytes ?? []).equals(Buffer.from(bytes))).toBe(true);
      await store.close();
    });

    test("a work that fails in the database itself takes no other with it", async () => {
      const store = await open();
      const answers = await Promise.allSettled([put(store, "a", "1"), put(store, "a", "2"), put(store, "b", "3")]);
      expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect(await findSetting(store.read, "a")).toBe("1");
      expect(await findSetting(store.read, "b")).toBe("3");
      await store.close();
    });
  });
}
