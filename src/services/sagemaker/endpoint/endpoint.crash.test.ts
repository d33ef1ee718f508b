// Random faults: passes that are cut off before they are saved, instances that die, starts that fail after they began.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Store } from "../../../database/store.ts";
import { seconds } from "../../../lib/clock.ts";
import { fakeHosting, type FakeHosting } from "./endpoint.fake.ts";

const faults = [
  "none",
  "crash in a write",
  "start fails late",
  "lose one",
  "kill all",
  "crash one",
  "serve",
  "update",
] as const;
type Fault = (typeof faults)[number];
const rank = ["Creating", "InService", "Deleting", "gone"];

interface Crashes {
  writesUntilCrash: number;
}

/** The work of a write is done and then rolled back, as by a kill before it was durable. */
const crashing =
  (crashes: Crashes) =>
  (store: Store): Store => ({
    read: store.read,
    close: () => store.close(),
    write: (work) =>
      store.write(async (tx) => {
        const answer = await work(tx);
        if (crashes.writesUntilCrash-- === 0) throw new Error("killed before it was durable");
        return answer;
      }),
  });

async function inject(fault: Fault, hosting: FakeHosting, crashes: Crashes): Promise<void> {
  const [first] = hosting.keys();
  switch (fault) {
    case "crash in a write":
      crashes.writesUntilCrash = hosting.keys().length % 3;
      return;
    case "start fails late":
      hosting.tasks.failNext = { error: new Error("the answer was lost"), afterStart: true };
      return;
    case "lose one":
      if (first !== undefined) hosting.tasks.running.delete(first);
      return;
    case "kill all":
      hosting.tasks.running.clear();
      return;
    case "crash one":
      if (first !== undefined) await hosting.end(first, "exited");
      return;
    case "serve":
      await hosting.serveAll();
      return;
    case "update":
      await hosting.call("UpdateEndpoint", { EndpointName: "digits", EndpointConfigName: "first" });
      return;
    case "none":
  }
}

const stateOf = async (hosting: FakeHosting): Promise<string> => {
  try {
    return (await hosting.describe()).EndpointStatus;
  } catch {
    return "gone";
  }
};

test("whatever happens, an endpoint ends InService with its instances, or Failed; deleted, it leaves nothing", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...faults), { maxLength: 14 }),
      fc.integer({ min: 1, max: 2 }),
      async (sequence, count) => {
        const crashes: Crashes = { writesUntilCrash: -1 };
        const hosting = await fakeHosting({ wrapStore: crashing(crashes) });
        await hosting.configure("first", { AllTraffic: count });
        await hosting.call("CreateEndpoint", { EndpointName: "digits", EndpointConfigName: "first" });
        const seen: string[] = [];
        for (const fault of sequence) {
          await inject(fault, hosting, crashes).catch(() => undefined);
          await hosting.wait(seconds(31));
          seen.push(await stateOf(hosting));
        }
        crashes.writesUntilCrash = -1;
        for (let round = 0; round < 20; round++) {
          await hosting.wait(seconds(31));
          await hosting.serveAll();
        }
        const described = await hosting.describe();
        seen.push(described.EndpointStatus);
        if (described.EndpointStatus === "InService") {
          expect(described.ProductionVariants).toMatchObject([{ CurrentInstanceCount: count }]);
          expect(hosting.keys()).toHaveLength(count);
        } else {
          expect(described.EndpointStatus).toBe("Failed");
          expect(described.FailureReason).toMatch(/ping health check/);
          expect(hosting.keys()).toEqual([]);
        }
        const ranks = seen.map((state) =>
          rank.indexOf(state === "Failed" || state === "Updating" ? "InService" : state),
        );
        expect(ranks).toEqual([...ranks].sort((a, b) => a - b));

        await hosting.call("DeleteEndpoint", { EndpointName: "digits" });
        for (let round = 0; round < 3; round++) await hosting.wait(seconds(41));
        expect(await stateOf(hosting)).toBe("gone");
        expect(hosting.keys()).toEqual([]);
        expect(await hosting.store.read.selectFrom("tasks").selectAll().execute()).toEqual([]);
        expect(await hosting.store.read.selectFrom("reservations").selectAll().execute()).toEqual([]);
        expect(await hosting.store.read.selectFrom("object_pins").selectAll().execute()).toEqual([]);
      },
    ),
    { numRuns: 60 },
  );
});
