// A training job under random faults: starts that fail or crash, passes that are not saved, agents that repeat themselves.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { CapacityError } from "../../../compute/backend.ts";
import type { Store } from "../../../database/store.ts";
import { minutes } from "../../../lib/clock.ts";
import type { TaskEvent } from "../../../task/report.ts";
import { fakeSagemaker, kmeansJob, runsThrough, type FakeSagemaker } from "../sagemaker.fake.ts";

type Fault = "none" | "no capacity" | "start crashes" | "started, then crash" | "write fails" | "agent repeats";

/** Fails the nth write from now on, before or after it is durable: what a crash leaves behind. */
class FaultyStore {
  failsIn = 0;
  isDurable = false;

  wrap = (store: Store): Store => ({
    read: store.read,
    close: () => store.close(),
    write: async (work) => {
      const fails = this.failsIn > 0 && --this.failsIn === 0;
      if (fails && !this.isDurable) throw new Error("crash before the write");
      const answer = await store.write(work);
      if (fails) throw new Error("crash after the write");
      return answer;
    },
  });
}

const ranks = ["Starting", "Downloading", "Training", "Stopping", "Uploading", "Completed", "Failed", "Stopped"];

async function rankNow(world: FakeSagemaker): Promise<number> {
  const { SecondaryStatus } = await world.call("DescribeTrainingJob", { TrainingJobName: "job" });
  return ranks.indexOf(SecondaryStatus);
}

function inflict(world: FakeSagemaker, faulty: FaultyStore, fault: Fault, at: number): void {
  switch (fault) {
    case "no capacity":
      world.tasks.failNext = { error: new CapacityError("no room"), afterStart: false };
      return;
    case "start crashes":
      world.tasks.failNext = { error: new Error("crash"), afterStart: false };
      return;
    case "started, then crash":
      world.tasks.failNext = { error: new Error("crash"), afterStart: true };
      return;
    case "write fails":
      faulty.failsIn = 1 + (at % 5);
      faulty.isDurable = at % 2 === 0;
      return;
    case "none":
    case "agent repeats":
      return;
  }
}

/** Sends an instance's next event, as an agent does: again until it is acknowledged. */
async function tell(world: FakeSagemaker, key: string, event: TaskEvent, sequence: number): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const response = await world
      .agent(key)
      .report([event], sequence)
      .catch(() => undefined);
    if (response) return;
  }
  throw new Error("no report got through");
}

const fault: fc.Arbitrary<Fault> = fc.constantFrom(
  "none",
  "no capacity",
  "start crashes",
  "started, then crash",
  "write fails",
  "agent repeats",
);

async function runJob(faults: readonly Fault[], stopsAt: number | undefined): Promise<void> {
  const faulty = new FaultyStore();
  const world = await fakeSagemaker({ wrapStore: faulty.wrap });
  await world.putObject("data/a", "a");
  await world.call("CreateTrainingJob", kmeansJob("job"));
  const script = runsThrough(world.clock.now().getTime());
  const told = new Map<string, number>();
  let rank = 0;

  for (let turn = 0; turn < faults.length + 12; turn++) {
    const now = faults[turn] ?? "none";
    if (turn === stopsAt) await world.call("StopTrainingJob", { TrainingJobName: "job" }).catch(() => undefined);
    inflict(world, faulty, now, turn);
    await world.engine.runDue();
    // A pass that was not saved keeps its lease until that runs out.
    await world.clock.advance(minutes(2));
    faulty.failsIn = 0;
    for (const key of world.tasks.running.keys()) {
      const at = told.get(key) ?? 0;
      const event = script[at];
      if (!event) continue;
      await tell(world, key, event, at + 1);
      if (now === "agent repeats") await tell(world, key, event, at + 1);
      told.set(key, at + 1);
    }
    const next = await rankNow(world);
    expect(next).toBeGreaterThanOrEqual(rank);
    rank = next;
  }
  await world.settle();

  const job = await world.call("DescribeTrainingJob", { TrainingJobName: "job" });
  expect(["Completed", ...(stopsAt === undefined ? [] : ["Stopped"])]).toContain(job.TrainingJobStatus);
  for (const count of world.tasks.starts.values()) expect(count).toBe(1);
  if (job.TrainingJobStatus === "Completed") expect(world.tasks.starts.size).toBe(2);
  expect([...world.tasks.running.keys()]).toEqual([]);
  for (const table of ["tasks", "object_pins", "reservations"] as const)
    expect(await world.store.read.selectFrom(table).selectAll().execute()).toEqual([]);
}

test("however often it crashes, a job completes, starts one task per instance and leaves nothing behind", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fault, { maxLength: 15 }), (faults) => runJob(faults, undefined)),
    { numRuns: 25 },
  );
}, 60_000);

test("however often it crashes, a job that is stopped ends, and its status never moves back", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fault, { maxLength: 12 }), fc.nat(14), (faults, stopsAt) => runJob(faults, stopsAt)),
    { numRuns: 25 },
  );
}, 60_000);
