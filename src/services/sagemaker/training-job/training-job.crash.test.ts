// A training job under random faults: starts that fail or crash, passes that are not saved, agents that repeat themselves.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { CapacityError } from "../../../compute/backend.ts";
import { FaultyStore } from "../../../database/faulty-store.fake.ts";
import { minutes } from "../../../lib/clock.ts";
import type { TaskEvent } from "../../../task/report.ts";
import { fakeSagemaker, kmeansJob, runsThrough, type FakeSagemaker } from "../sagemaker.fake.ts";

type Fault =
  | "none"
  | "no capacity"
  | "start crashes"
  | "started, then crash"
  | "write fails"
  | "agent repeats"
  | "task is lost";

const ranks = [
  "Restarting",
  "Starting",
  "Downloading",
  "Training",
  "Stopping",
  "Uploading",
  "Completed",
  "Failed",
  "Stopped",
];

/** Every status that the job has shown, in order. */
async function walkNow(world: FakeSagemaker): Promise<readonly string[]> {
  const job = await world.call("DescribeTrainingJob", { TrainingJobName: "job" });
  return (job.SecondaryStatusTransitions ?? []).map(({ Status }) => Status);
}

function expectForward(walk: readonly string[]): void {
  let rank = 0;
  for (const status of walk) {
    const next = ranks.indexOf(status);
    if (status !== "Restarting") expect(next).toBeGreaterThan(rank);
    rank = next;
  }
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
    case "task is lost": {
      const [key] = [...world.tasks.running.keys()].slice(at % 2);
      if (key !== undefined) world.tasks.running.delete(key);
      return;
    }
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

const crashes = [
  "none",
  "no capacity",
  "start crashes",
  "started, then crash",
  "write fails",
  "agent repeats",
] as const;

interface Course {
  readonly faults: readonly Fault[];
  readonly stopsAt?: number;
  readonly retries?: number;
}

/** Answers how the job ended. On the way its status goes only forward, and begins anew only with Restarting. */
async function runJob({ faults, stopsAt, retries = 0 }: Course): Promise<{ state: string; world: FakeSagemaker }> {
  const faulty = new FaultyStore();
  const world = await fakeSagemaker({ wrapStore: faulty.wrap });
  await world.putObject("data/a", "a");
  const job = kmeansJob("job");
  await world.call(
    "CreateTrainingJob",
    retries > 0 ? { ...job, RetryStrategy: { MaximumRetryAttempts: retries } } : job,
  );
  const script = runsThrough(world.clock.now().getTime());
  const told = new Map<string, number>();
  let walked: readonly string[] = [];

  for (let turn = 0; turn < faults.length + 12 * (retries + 2); turn++) {
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
    const next = await walkNow(world);
    // What has been shown is never taken back.
    expect(next.slice(0, walked.length)).toEqual(walked);
    walked = next;
  }
  await world.settle();
  expectForward(walked);
  const { TrainingJobStatus } = await world.call("DescribeTrainingJob", { TrainingJobName: "job" });
  return { state: TrainingJobStatus, world };
}

async function expectNothingLeft(world: FakeSagemaker): Promise<void> {
  for (const count of world.tasks.starts.values()) expect(count).toBe(1);
  expect([...world.tasks.running.keys()]).toEqual([]);
  for (const table of ["tasks", "object_pins", "reservations"] as const)
    expect(await world.store.read.selectFrom(table).selectAll().execute()).toEqual([]);
}

test("however often it crashes, a job completes, starts one task per instance and leaves nothing behind", async () => {
  const faults = fc.array(fc.constantFrom<Fault>(...crashes), { maxLength: 15 });
  await fc.assert(
    fc.asyncProperty(faults, async (chosen) => {
      const { state, world } = await runJob({ faults: chosen });
      expect(state).toBe("Completed");
      expect(world.tasks.starts.size).toBe(2);
      await expectNothingLeft(world);
    }),
    { numRuns: 25 },
  );
}, 60_000);

test("however often it crashes, a job that is stopped ends and leaves nothing behind", async () => {
  const faults = fc.array(fc.constantFrom<Fault>(...crashes), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(faults, fc.nat(14), async (chosen, stopsAt) => {
      const { state, world } = await runJob({ faults: chosen, stopsAt });
      expect(["Completed", "Stopped"]).toContain(state);
      await expectNothingLeft(world);
    }),
    { numRuns: 25 },
  );
}, 60_000);

test("whatever is lost, a job restarts as often as it may, and then fails, and leaves nothing behind", async () => {
  const faults = fc.array(fc.constantFrom<Fault>(...crashes, "task is lost"), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(faults, fc.nat(2), async (chosen, retries) => {
      const { state, world } = await runJob({ faults: chosen, retries });
      expect(["Completed", "Failed"]).toContain(state);
      // Each attempt has two instances; the first restart is free before anything ran.
      expect(world.tasks.starts.size).toBeLessThanOrEqual(2 * (1 + Math.max(retries, 1)));
      await expectNothingLeft(world);
    }),
    { numRuns: 25 },
  );
}, 60_000);
