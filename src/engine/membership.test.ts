import { expect, test } from "vitest";
import { takeLease } from "../database/leases.ts";
import { findResourceByUid, insertResource } from "../database/resources.ts";
import { openTestStore } from "../database/store.fake.ts";
import type { Store } from "../database/store.ts";
import { FakeClock } from "../lib/clock.fake.ts";
import { silentLog } from "../lib/log.ts";
import { seededRandom } from "../lib/random.ts";
import { createMembership, type Membership } from "./membership.ts";

const leased = async (store: Store): Promise<string | null | undefined> =>
  (await findResourceByUid(store.read, "thing"))?.lease_token;

const serversOf = async (store: Store): Promise<string[]> =>
  (await store.read.selectFrom("servers").select("id").execute()).map(({ id }) => id);

/** One server holds a lease of half a minute; another watches. Each has a clock of its own, hours apart. */
async function setup() {
  const clock = new FakeClock();
  const watcherClock = new FakeClock(new Date("2026-01-01T05:00:00Z"));
  const store = await openTestStore({ clock });
  const now = clock.now().getTime();
  const row = { uid: "thing", kind: "k", account: "a", region: "r", name: "n", spec: "{}", intent: "{}", status: "{}" };
  const times = { created_at: now, modified_at: now, wake_at: now, lease_token: null, lease_until: null };
  const member = (name: string, of: FakeClock, seed: number): Membership =>
    createMembership({ store, clock: of, random: seededRandom(seed), log: silentLog, url: () => `http://${name}` });
  const holder = member("holder", clock, 1);
  const urls: (readonly string[])[] = [];
  const watcher = createMembership({
    store,
    clock: watcherClock,
    random: seededRandom(2),
    log: silentLog,
    url: () => "http://watcher",
    onBeat: (alive) => urls.push([...alive].sort()),
  });
  let freed = 0;
  await holder.start(() => {});
  await watcher.start(() => freed++);
  await store.write(async (tx) => {
    await insertResource(tx, { ...row, ...times, tags: "[]", state: "", generation: 1, failures: 0 });
    await takeLease(tx, "thing", `${holder.id}/pass`, now, now + 30_000);
  });
  /** Seconds of both, or of the watcher alone. */
  const pass = async (seconds: number, isHolderAlive: boolean): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      if (isHolderAlive) await clock.advance(1_000);
      if (isHolderAlive) await rest();
      await watcherClock.advance(1_000);
      await rest();
    }
  };
  return { store, holder, watcher, watcherClock, pass, urls, freed: () => freed };
}

/** Queries that were begun are answered. */
const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

test("a server without a heartbeat for five seconds loses its leases, and not before", async () => {
  const { store, watcher, holder, pass, urls, freed } = await setup();
  await pass(7, true);
  expect(await leased(store)).toBe(`${holder.id}/pass`);
  await pass(4, false);
  expect(await leased(store)).toBe(`${holder.id}/pass`);
  expect(urls.at(-1)).toEqual(["http://holder", "http://watcher"]);
  await pass(2, false);
  expect(await leased(store)).toBeNull();
  expect(await serversOf(store)).toEqual([watcher.id]);
  expect(urls.at(-1)).toEqual(["http://watcher"]);
  expect(freed()).toBe(1);
});

test("a server that slept itself declares nobody dead for it", async () => {
  const { store, holder, pass, watcherClock } = await setup();
  await pass(2, true);
  await watcherClock.advance(60_000);
  await rest();
  expect(await leased(store)).toBe(`${holder.id}/pass`);
});

test("a server that stops leaves at once", async () => {
  const { store, watcher, holder } = await setup();
  await holder.stop();
  expect(await serversOf(store)).toEqual([watcher.id]);
});
