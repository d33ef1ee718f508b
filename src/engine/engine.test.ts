import * as fc from "fast-check";
import { expect, test } from "vitest";
import { clearLeases, takeLease } from "../database/leases.ts";
import { changeResource, findResourceByUid, insertResource, type ResourceRow } from "../database/resources.ts";
import { openTestStore } from "../database/store.fake.ts";
import type { Store } from "../database/store.ts";
import { FakeClock } from "../lib/clock.fake.ts";
import { silentLog } from "../lib/log.ts";
import { seededRandom } from "../lib/random.ts";
import { createEngine, type Engine } from "./engine.ts";
import { anyReconciler, lookAgain, next, remove, settle, type Step } from "./reconciler.ts";

interface Status {
  readonly state: string;
  readonly count?: number;
}
type CountStep = Step<object, object, Status>;

const aRow = (uid: string, clock: FakeClock): ResourceRow => ({
  uid,
  kind: "test/thing",
  account: "000000000000",
  region: "us-east-1",
  name: uid,
  spec: "{}",
  intent: "{}",
  status: JSON.stringify({ state: "New" }),
  tags: "[]",
  state: "New",
  created_at: clock.now().getTime(),
  modified_at: clock.now().getTime(),
  generation: 1,
  wake_at: clock.now().getTime(),
  lease_token: null,
  lease_until: null,
  failures: 0,
});

async function setup(...steps: CountStep[]): Promise<{ store: Store; clock: FakeClock; engine: Engine }> {
  const clock = new FakeClock();
  const store = await openTestStore({ clock });
  const reconciler = anyReconciler({ kind: "test/thing", steps, stateOf: (status: Status) => status.state });
  const engine = createEngine({ store, clock, random: seededRandom(1), log: silentLog, reconcilers: [reconciler] });
  await store.write((tx) => insertResource(tx, aRow("a", clock)));
  return { store, clock, engine };
}

const statusOf = async (store: Store): Promise<Status> =>
  JSON.parse((await findResourceByUid(store.read, "a"))?.status ?? "{}") as Status;

test("steps run in order, each sees what the one before it said, and settling ends the passes", async () => {
  const { store, engine } = await setup(
    async () => next({ state: "Started", count: 1 }),
    async (thing) => settle({ state: "Done", count: (thing.status.count ?? 0) + 1 }),
  );
  expect(await engine.runDue()).toBe(1);
  expect(await statusOf(store)).toEqual({ state: "Done", count: 2 });
  expect((await findResourceByUid(store.read, "a"))?.state).toBe("Done");
  expect(await engine.runDue()).toBe(0);
});

test("a resource that wants another look is due again after that time and not before", async () => {
  const { clock, engine } = await setup(async () => lookAgain(5_000));
  expect(await engine.runDue()).toBe(1);
  await clock.advance(4_999);
  expect(await engine.runDue()).toBe(0);
  await clock.advance(1);
  expect(await engine.runDue()).toBe(1);
});

test("a step that throws is tried again later, and later each time", async () => {
  let fails = 2;
  const { store, clock, engine } = await setup(async () => {
    if (fails-- > 0) throw new Error("no luck");
    return settle({ state: "Done" });
  });
  await engine.runDue();
  expect(await engine.runDue()).toBe(0);
  await clock.advance(200);
  expect(await engine.runDue()).toBe(1);
  await clock.advance(200);
  expect(await engine.runDue()).toBe(0);
  await clock.advance(200);
  expect(await engine.runDue()).toBe(1);
  expect(await statusOf(store)).toEqual({ state: "Done" });
});

test("a request that arrives during a pass is not slept through", async () => {
  let isFirst = true;
  const { store, clock, engine } = await setup(async () => {
    if (isFirst) await store.write((tx) => changeResource(tx, "a", { intent: "{}", now: clock.now().getTime() }));
    isFirst = false;
    return settle({ state: "Done" });
  });
  expect(await engine.runDue()).toBe(1);
  expect(await engine.runDue()).toBe(1);
  expect(await engine.runDue()).toBe(0);
});

test("an outcome is dropped when another server took the lease over meanwhile", async () => {
  const { store, clock, engine } = await setup(async () => {
    // The lease ran out while this server slept.
    await store.write((tx) => tx.updateTable("resources").set({ lease_until: 0 }).where("uid", "=", "a").execute());
    const now = clock.now().getTime();
    expect(await store.write((tx) => takeLease(tx, "a", "another server", now, now + 30_000))).toBeDefined();
    return settle({ state: "Mine" });
  });
  await engine.runDue();
  expect(await statusOf(store)).toEqual({ state: "New" });
  await clearLeases(store);
  expect((await findResourceByUid(store.read, "a"))?.lease_token).toBeNull();
});

test("a removed resource is gone", async () => {
  const { store, engine } = await setup(async () => remove());
  await engine.runDue();
  expect(await findResourceByUid(store.read, "a")).toBeUndefined();
});

test("the running loop picks up what becomes due, without a nudge within its interval and with one at once", async () => {
  const { store, clock, engine } = await setup(async () => settle({ state: "Done" }));
  await engine.start();
  for (let turn = 0; turn < 2_000 && (await statusOf(store)).state !== "Done"; turn++) {
    await clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await statusOf(store)).toEqual({ state: "Done" });
  const stopping = engine.stop();
  await clock.advance(2_000);
  await stopping;
});

test("whatever a step does, the state in the row is the state of its last saved status", async () => {
  const move = fc.constantFrom("settle", "look", "throw");
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 12 }), async (moves) => {
      let at = 0;
      const { store, clock, engine } = await setup(async () => {
        const chosen = moves[at++];
        if (chosen === "throw") throw new Error("fault");
        return chosen === "look" ? lookAgain(10, { state: `s${at}` }) : settle({ state: `s${at}` });
      });
      for (let turn = 0; turn < moves.length + 2; turn++) {
        await engine.runDue();
        await clock.advance(120_000);
      }
      const row = await findResourceByUid(store.read, "a");
      expect(row?.state).toBe((await statusOf(store)).state);
      await store.close();
    }),
    { numRuns: 30 },
  );
});
