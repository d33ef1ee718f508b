import { expect, test } from "vitest";
import { pricesOf } from "../../../compute/prices.ts";
import { minutes, seconds } from "../../../lib/clock.ts";
import { parseSpotPolicy } from "../../../compute/spot-policy.ts";
import { fakeHosting } from "../endpoint/endpoint.fake.ts";
import { account, fakeSagemaker, kmeansJob, runsThrough, type FakeSagemaker } from "../sagemaker.fake.ts";
import { costAnswer, readCostQuery } from "./cost-route.ts";

/** ml.c4.xlarge has no list price here: the tests give it one. */
const prices = pricesOf({ "ml.c4.xlarge": 3.6, "ml.m5.large": 7.2 });

const answer = (world: FakeSagemaker, query = "from=2026-01-01") => {
  const now = world.clock.now();
  return costAnswer(world.store.read, { ...readCostQuery(new URLSearchParams(query), now), account, now }, prices);
};

async function begun(world: FakeSagemaker, name: string, instances = 2, changes: object = {}): Promise<void> {
  await world.putObject("data/a.csv", "1,2");
  await world.call("CreateTrainingJob", { ...kmeansJob(name, instances), ...changes });
  await world.settle();
}

async function finish(world: FakeSagemaker): Promise<void> {
  for (const key of world.tasks.running.keys()) await world.agent(key).report(runsThrough(world.clock.now().getTime()));
  await world.clock.advance(seconds(100));
  await world.settle();
}

test("a job costs its billed seconds times its instances, and still does when it is deleted", async () => {
  const world = await fakeSagemaker();
  await begun(world, "job", 2, { Tags: [{ Key: "team", Value: "blue" }] });
  await finish(world);
  const job = await world.call("DescribeTrainingJob", { TrainingJobName: "job" });
  const hours = (2 * (job.BillableTimeInSeconds ?? 0)) / 3_600;
  expect(hours).toBeGreaterThan(0);
  const expected = { instanceHours: hours, cost: hours * 3.6, saved: 0, isRunning: false, unpriced: [] };
  expect((await answer(world)).rows).toEqual([{ key: "training-job/job", ...expected }]);
  await world.call("DeleteTrainingJob", { TrainingJobName: "job" });
  expect((await answer(world, "from=2026-01-01&by=tag:team")).rows).toEqual([{ key: "team=blue", ...expected }]);
  expect((await answer(world, "from=2026-01-01&by=tag:cost-centre")).rows[0]?.key).toBe("(without cost-centre)");
  expect((await answer(world, "from=2026-01-01&by=instance-type")).rows[0]?.key).toBe("ml.c4.xlarge");
});

test("what runs is counted until now, what never began is not, and what has no price is named", async () => {
  const world = await fakeSagemaker({ jobs: 2 });
  await begun(world, "runs", 2);
  await begun(world, "waits", 2);
  const started = world.clock.now().getTime();
  for (const key of world.tasks.running.keys())
    await world.agent(key).report([{ type: "phase", at: started, phase: "downloading" }]);
  await world.settle();
  await world.clock.advance(minutes(30));
  const { rows, total } = await answer(world);
  expect(rows).toEqual([
    { key: "training-job/runs", instanceHours: 1, cost: 3.6, saved: 0, isRunning: true, unpriced: [] },
  ]);
  expect(total.isRunning).toBe(true);
  const now = world.clock.now();
  const query = readCostQuery(new URLSearchParams("from=2026-01-01"), now);
  const unpriced = await costAnswer(world.store.read, { ...query, account, now }, pricesOf({}));
  expect(unpriced.total).toMatchObject({ instanceHours: 1, cost: 0, unpriced: ["ml.c4.xlarge"] });
});

test("spot capacity costs less, and what it saved is said", async () => {
  const world = await fakeSagemaker({ spot: parseSpotPolicy('{"discountPercent": 75}') });
  const StoppingCondition = { MaxRuntimeInSeconds: 3_600, MaxWaitTimeInSeconds: 3_600 };
  await begun(world, "spot", 1, { EnableManagedSpotTraining: true, StoppingCondition });
  await finish(world);
  const { total } = await answer(world);
  const job = await world.call("DescribeTrainingJob", { TrainingJobName: "spot" });
  expect(total.cost).toBeCloseTo(((job.BillableTimeInSeconds ?? 0) / 3_600) * 3.6);
  expect(total.cost + total.saved).toBeCloseTo(((job.TrainingTimeInSeconds ?? 0) / 3_600) * 3.6);
  expect(total.saved / (total.cost + total.saved)).toBeGreaterThan(0.6);
});

/** An instance that has begun and goes on. */
async function runs(world: FakeSagemaker): Promise<void> {
  const at = world.clock.now().getTime();
  for (const key of world.tasks.running.keys())
    await world.agent(key).report([{ type: "phase", at, phase: "downloading" }]);
  await world.settle();
}

test("a job on spot capacity costs less while it runs too, by the discount of its launch", async () => {
  const world = await fakeSagemaker({ spot: parseSpotPolicy('{"discountPercent": 75}') });
  const StoppingCondition = { MaxRuntimeInSeconds: 36_000, MaxWaitTimeInSeconds: 36_000 };
  await begun(world, "spot", 1, { EnableManagedSpotTraining: true, StoppingCondition });
  await runs(world);
  await world.clock.advance(minutes(120));
  const { total } = await answer(world);
  expect(total).toMatchObject({ isRunning: true, saved: expect.closeTo(2 * 0.75 * 3.6) as number });
  expect(total.cost).toBeCloseTo(2 * 0.25 * 3.6);
  expect(total.instanceHours).toBeCloseTo(0.5);
});

test("a warm pool costs as long as it is kept, from the end of its job on", async () => {
  const world = await fakeSagemaker();
  const ResourceConfig = { ...kmeansJob("warm", 1).ResourceConfig, KeepAlivePeriodInSeconds: 3_600 };
  await begun(world, "warm", 1, { ResourceConfig });
  await finish(world);
  const poolOf = async (query?: string) =>
    (await answer(world, query)).rows.find(({ key }) => key === "warm-pool/warm");
  const job = (await answer(world)).rows.find(({ key }) => key === "training-job/warm");
  const ended = world.clock.now();
  await world.clock.advance(minutes(30));
  const half = await poolOf();
  expect(half).toMatchObject({ isRunning: true });
  expect(half?.instanceHours).toBeGreaterThanOrEqual(0.5);
  await world.clock.advance(minutes(60));
  await world.settle();
  const whole = await poolOf();
  expect(whole).toMatchObject({ isRunning: false });
  expect(whole?.instanceHours).toBeCloseTo(1, 1);
  const rows = (await answer(world)).rows;
  expect(rows.find(({ key }) => key === "training-job/warm")).toEqual(job);
  const firstHalf = `from=2026-01-01&to=${new Date(ended.getTime() + minutes(30)).toISOString()}`;
  expect((await poolOf(firstHalf))?.instanceHours).toBeCloseTo(half?.instanceHours ?? 0, 2);
  expect((await answer(world, "from=2026-01-01&by=kind")).rows.map(({ key }) => key)).toEqual([
    "warm-pool",
    "training-job",
  ]);
});

test("a job that ends while its costs are asked for is counted once", async () => {
  const world = await fakeSagemaker();
  await begun(world, "ends", 1);
  await runs(world);
  await world.clock.advance(minutes(30));
  const before = (await answer(world)).total;
  const last = new WeakSet<object>();
  let hasEnded = false;
  /** Ends the job between the reading of what goes on, which comes first, and of what is written. */
  const meanwhile = world.store.read.withPlugin({
    transformQuery: ({ node, queryId }) => {
      if (JSON.stringify(node).includes('"instance_type"')) last.add(queryId);
      return node;
    },
    transformResult: async ({ result, queryId }) => {
      if (last.has(queryId) && !hasEnded) {
        hasEnded = true;
        await finish(world);
      }
      return result;
    },
  });
  const now = world.clock.now();
  const query = { ...readCostQuery(new URLSearchParams("from=2026-01-01"), now), account, now };
  const during = await costAnswer(meanwhile, query, prices);
  expect(hasEnded).toBe(true);
  expect(during.rows).toMatchObject([{ key: "training-job/ends", isRunning: false }]);
  expect(during.total.instanceHours).toBeGreaterThanOrEqual(before.instanceHours);
});

test("a charge is split between days and cut to the time that is asked for", async () => {
  const world = await fakeSagemaker();
  await begun(world, "long", 1);
  const started = world.clock.now().getTime();
  for (const key of world.tasks.running.keys())
    await world.agent(key).report([{ type: "phase", at: started, phase: "downloading" }]);
  await world.settle();
  await world.clock.advance(minutes(36 * 60));
  const days = await answer(world, "from=2026-01-01&by=day");
  expect(days.rows.map(({ key, instanceHours }) => [key, Math.round(instanceHours)])).toEqual([
    ["2026-01-01", 24],
    ["2026-01-02", 12],
  ]);
  expect((await answer(world, "from=2026-01-02")).total.instanceHours).toBeCloseTo(12);
  expect((await answer(world, "from=2026-01-01T06:00:00Z&to=2026-01-01T12:00:00Z")).total.instanceHours).toBeCloseTo(6);
  expect((await answer(world, "from=2025-01-01&to=2025-12-31")).rows).toEqual([]);
});

test("an endpoint costs from its instances' start to their end, and sits idle until somebody asks", async () => {
  const world = await fakeHosting();
  await world.configure("small");
  await world.call("CreateEndpoint", { EndpointName: "quiet", EndpointConfigName: "small" });
  await world.settle();
  await world.serveAll();
  await world.wait(minutes(120));
  const running = await answer(world);
  expect(running.rows).toMatchObject([{ key: "endpoint/quiet", isRunning: true }]);
  expect(running.total.instanceHours).toBeGreaterThanOrEqual(2);
  expect(running.idle).toMatchObject([{ name: "quiet", region: "us-west-2" }]);
  expect((await answer(world, "from=2026-01-01&idle-hours=3")).idle).toEqual([]);
  await world.call("DeleteEndpoint", { EndpointName: "quiet" });
  for (let at = 0; at < 10; at++) await world.wait(seconds(10));
  const ended = await answer(world);
  expect(ended.rows).toMatchObject([{ key: "endpoint/quiet", isRunning: false }]);
  await world.clock.advance(minutes(60));
  expect((await answer(world)).total).toEqual(ended.total);
});

test("a day means all of it, and a time with a zone what it says", () => {
  const read = (query: string) => {
    const { from, to } = readCostQuery(new URLSearchParams(query), new Date(Date.UTC(2026, 0, 5, 12)));
    return [from.toISOString(), to.toISOString()];
  };
  expect(read("")).toEqual(["2026-01-01T00:00:00.000Z", "2026-01-05T12:00:00.000Z"]);
  expect(read("from=2026-01-02&to=2026-01-02")).toEqual(["2026-01-02T00:00:00.000Z", "2026-01-03T00:00:00.000Z"]);
  expect(read("to=2026-01-02T00:00:00Z")[1]).toBe("2026-01-02T00:00:00.000Z");
});

test.each([
  ["from=yesterday", "from must be a day"],
  ["from=2026-01-01T00:00:00", "with its zone"],
  ["from=2026-01-02&to=2026-01-01", "from must be before to"],
  ["by=colour", "by must be resource"],
  ["by=tag:", "by must be resource"],
  ["idle-hours=-1", "idle-hours must be"],
  ["who=me", 'there is no "who"'],
])("the question %s makes no sense", (query, problem) => {
  expect(() => readCostQuery(new URLSearchParams(query), new Date(Date.UTC(2026, 0, 5)))).toThrow(problem);
});
