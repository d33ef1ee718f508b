// Warm pools and charges under random faults: passes that crash before or after what they write is durable.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FaultyStore } from "../../../database/faulty-store.fake.ts";
import { minutes } from "../../../lib/clock.ts";
import { fakeSagemaker, kmeansJob, runsThrough, type FakeSagemaker } from "../sagemaker.fake.ts";

const limit = 4;
const names = ["one", "two", "three"];

const heldNow = async (world: FakeSagemaker): Promise<number> => {
  const rows = await world.store.read
    .selectFrom("reservations")
    .select("instances")
    .where("granted_at", "is not", null)
    .execute();
  return rows.reduce((sum, { instances }) => sum + instances, 0);
};

/** Agents report until they are heard; then a turn of passes in which the nth write may fail. */
async function turn(world: FakeSagemaker, faulty: FaultyStore, failsIn: number, isDurable: boolean): Promise<void> {
  faulty.failsIn = 0;
  for (const key of world.tasks.running.keys()) {
    const end = await world.store.read.selectFrom("tasks").select("sequence").where("key", "=", key).execute();
    if (end[0]?.sequence === 0) await world.agent(key).report(runsThrough(world.clock.now().getTime()));
  }
  faulty.failsIn = failsIn;
  faulty.isDurable = isDurable;
  await world.engine.runDue();
  faulty.failsIn = 0;
  // A pass that was not saved keeps its lease until that runs out.
  await world.clock.advance(minutes(2));
  expect(await heldNow(world)).toBeLessThanOrEqual(limit);
}

test("however often it crashes, a pool has one heir at most, nothing is held in the end, and each job is paid once", async () => {
  const faults = fc.array(fc.tuple(fc.nat(6), fc.boolean()), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(faults, async (chosen) => {
      const faulty = new FaultyStore();
      const world = await fakeSagemaker({ jobs: limit, wrapStore: faulty.wrap });
      await world.putObject("data/a", "a");
      const left = [...chosen];
      for (const name of names) {
        const job = kmeansJob(name);
        const ResourceConfig = { ...job.ResourceConfig, KeepAlivePeriodInSeconds: 1_200 };
        await world.call("CreateTrainingJob", { ...job, ResourceConfig });
        for (let at = 0; at < 8; at++) await turn(world, faulty, ...(left.shift() ?? [0, false]));
      }
      await world.clock.advance(minutes(60));
      await world.settle();
      const jobs = await Promise.all(
        names.map((TrainingJobName) => world.call("DescribeTrainingJob", { TrainingJobName })),
      );
      expect(jobs.map((job) => job.TrainingJobStatus)).toEqual(names.map(() => "Completed"));
      expect(jobs.map((job) => job.WarmPoolStatus?.Status)).not.toContain("Available");
      const heirs = jobs.flatMap((job) => job.WarmPoolStatus?.ReusedByJob ?? []);
      expect(new Set(heirs).size).toBe(heirs.length);
      expect(await world.store.read.selectFrom("reservations").selectAll().execute()).toEqual([]);
      const charges = await world.store.read.selectFrom("charges").selectAll().orderBy("started_at").execute();
      const paid = (kind: string) =>
        charges.filter((charge) => charge.kind === kind).map(({ name, billed_seconds }) => [name, billed_seconds]);
      expect(paid("training-job")).toEqual(jobs.map((job, at) => [names[at], job.BillableTimeInSeconds]));
      expect(paid("warm-pool")).toEqual(
        jobs.map((job, at) => [names[at], job.WarmPoolStatus?.ResourceRetainedBillableTimeInSeconds]),
      );
    }),
    { numRuns: 25 },
  );
}, 60_000);
