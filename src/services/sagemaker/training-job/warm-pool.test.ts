import { expect, test } from "vitest";
import { minutes, seconds } from "../../../lib/clock.ts";
import type { CreateTrainingJobRequest } from "../../../models/generated/sagemaker.ts";
import type { TaskEnd } from "../../../task/report.ts";
import { fakeSagemaker, kmeansJob, runsThrough, type FakeSagemaker } from "../sagemaker.fake.ts";

const warmJob = (name: string, keepAlive = 600, change: Partial<CreateTrainingJobRequest> = {}) => {
  const job = kmeansJob(name, 2);
  return { ...job, ...change, ResourceConfig: { ...job.ResourceConfig, KeepAlivePeriodInSeconds: keepAlive } };
};

async function world(): Promise<FakeSagemaker> {
  const made = await fakeSagemaker();
  await made.putObject("data/a.csv", "1,2");
  return made;
}

async function finish(sagemaker: FakeSagemaker): Promise<void> {
  for (const key of sagemaker.tasks.running.keys())
    await sagemaker.agent(key).report(runsThrough(sagemaker.clock.now().getTime()));
  await sagemaker.clock.advance(seconds(10));
  await sagemaker.settle();
}

async function run(sagemaker: FakeSagemaker, job: CreateTrainingJobRequest): Promise<void> {
  await sagemaker.call("CreateTrainingJob", job);
  await sagemaker.settle();
  await finish(sagemaker);
}

const describeJob = (sagemaker: FakeSagemaker, name: string) =>
  sagemaker.call("DescribeTrainingJob", { TrainingJobName: name });

const poolOf = async (sagemaker: FakeSagemaker, name: string) => (await describeJob(sagemaker, name)).WarmPoolStatus;

const held = (sagemaker: FakeSagemaker) => sagemaker.store.read.selectFrom("reservations").selectAll().execute();

test("the instances of a job stay as long as it says, and are billed for it", async () => {
  const sagemaker = await world();
  await sagemaker.call("CreateTrainingJob", warmJob("one", 600));
  await sagemaker.settle();
  expect(await poolOf(sagemaker, "one")).toEqual({ Status: "InUse" });
  await finish(sagemaker);
  expect(await describeJob(sagemaker, "one")).toMatchObject({
    TrainingJobStatus: "Completed",
    WarmPoolStatus: { Status: "Available" },
  });
  expect(await held(sagemaker)).toHaveLength(1);
  await sagemaker.clock.advance(minutes(10));
  await sagemaker.settle();
  const ended = await poolOf(sagemaker, "one");
  expect(ended).toMatchObject({ Status: "Terminated" });
  expect(ended?.ResourceRetainedBillableTimeInSeconds).toBeGreaterThanOrEqual(590);
  expect(ended?.ResourceRetainedBillableTimeInSeconds).toBeLessThanOrEqual(600);
  expect(await held(sagemaker)).toEqual([]);
});

test("a pool whose end is noticed late is billed to its end", async () => {
  const sagemaker = await world();
  await run(sagemaker, warmJob("one", 600));
  await sagemaker.clock.advance(minutes(60));
  await sagemaker.settle();
  expect(await poolOf(sagemaker, "one")).toEqual({ Status: "Terminated", ResourceRetainedBillableTimeInSeconds: 600 });
});

test("a job of the same sort takes the pool over, and keeps it as long as it says itself", async () => {
  const sagemaker = await world();
  await run(sagemaker, warmJob("one"));
  await sagemaker.clock.advance(seconds(90));
  await sagemaker.call("CreateTrainingJob", warmJob("two", 60));
  await sagemaker.settle();
  const reused = await poolOf(sagemaker, "one");
  expect(reused).toMatchObject({ Status: "Reused", ReusedByJob: "two" });
  expect(reused?.ResourceRetainedBillableTimeInSeconds).toBeGreaterThanOrEqual(90);
  expect(await poolOf(sagemaker, "two")).toEqual({ Status: "InUse" });
  expect(await held(sagemaker)).toHaveLength(1);
  await finish(sagemaker);
  expect(await poolOf(sagemaker, "two")).toEqual({ Status: "Available" });
  await sagemaker.clock.advance(minutes(1));
  await sagemaker.settle();
  expect(await poolOf(sagemaker, "two")).toMatchObject({ Status: "Terminated" });
  expect(await poolOf(sagemaker, "one")).toMatchObject({ Status: "Reused" });
  expect(await held(sagemaker)).toEqual([]);
});

test("a job that says nothing of a pool may use one, and ends it", async () => {
  const sagemaker = await world();
  await run(sagemaker, warmJob("one"));
  await sagemaker.call("CreateTrainingJob", kmeansJob("two", 2));
  await sagemaker.settle();
  expect(await poolOf(sagemaker, "two")).toEqual({ Status: "InUse" });
  await finish(sagemaker);
  expect(await poolOf(sagemaker, "two")).toEqual({ Status: "Terminated", ResourceRetainedBillableTimeInSeconds: 0 });
  expect(await held(sagemaker)).toEqual([]);
});

test("a job of another sort leaves the pool alone, until it needs the room", async () => {
  const sagemaker = await world();
  await run(sagemaker, warmJob("one"));
  await sagemaker.call("CreateTrainingJob", { ...kmeansJob("other", 1), EnableNetworkIsolation: true });
  await sagemaker.settle();
  expect(await poolOf(sagemaker, "other")).toBeUndefined();
  expect(await poolOf(sagemaker, "one")).toEqual({ Status: "Available" });
  await sagemaker.call("CreateTrainingJob", { ...kmeansJob("large", 3), EnableNetworkIsolation: true });
  await sagemaker.settle();
  expect(await poolOf(sagemaker, "one")).toMatchObject({ Status: "Terminated" });
  expect([...sagemaker.tasks.running.keys()]).toHaveLength(4);
});

test("a job that failed by itself leaves its pool, one that lost an instance does not", async () => {
  const sagemaker = await world();
  const failsWith = async (name: string, end: TaskEnd): Promise<void> => {
    await sagemaker.call("CreateTrainingJob", warmJob(name));
    await sagemaker.settle();
    const at = sagemaker.clock.now().getTime();
    for (const key of sagemaker.tasks.running.keys())
      await sagemaker.agent(key).report([...runsThrough(at).slice(0, 3), { type: "end", at, end }]);
    await sagemaker.clock.advance(seconds(10));
    await sagemaker.settle();
  };
  await failsWith("wrong", { how: "exited", exitCode: 1 });
  expect(await describeJob(sagemaker, "wrong")).toMatchObject({
    TrainingJobStatus: "Failed",
    WarmPoolStatus: { Status: "Available" },
  });
  await failsWith("lost", { how: "lost" });
  expect(await describeJob(sagemaker, "lost")).toMatchObject({
    TrainingJobStatus: "Failed",
    WarmPoolStatus: { Status: "Terminated", ResourceRetainedBillableTimeInSeconds: 0 },
  });
});

test("a pool that waits can be kept longer, or ended; others cannot be changed", async () => {
  const sagemaker = await world();
  await run(sagemaker, warmJob("one", 60));
  const keep = (name: string, KeepAlivePeriodInSeconds: number) =>
    sagemaker.call("UpdateTrainingJob", { TrainingJobName: name, ResourceConfig: { KeepAlivePeriodInSeconds } });
  await keep("one", 3_600);
  await sagemaker.clock.advance(minutes(30));
  await sagemaker.settle();
  expect(await poolOf(sagemaker, "one")).toEqual({ Status: "Available" });
  await expect(sagemaker.call("DeleteTrainingJob", { TrainingJobName: "one" })).rejects.toThrow("warm pool");
  await keep("one", 0);
  await sagemaker.settle();
  expect(await poolOf(sagemaker, "one")).toMatchObject({ Status: "Terminated" });
  await expect(keep("one", 60)).rejects.toThrow("no warm pool that is Available");
  await sagemaker.call("DeleteTrainingJob", { TrainingJobName: "one" });
});

test("no cluster lives longer than seven days, however many jobs it serves", async () => {
  const sagemaker = await world();
  await run(sagemaker, warmJob("first", 3_600));
  // Each takes 59 minutes and 10 seconds.
  const jobs = 172;
  for (let at = 0; at < jobs; at++) {
    await sagemaker.clock.advance(minutes(59));
    await sagemaker.settle();
    await run(sagemaker, warmJob(`job-${at}`, 3_600));
  }
  const pools: (string | undefined)[] = [];
  for (let at = 0; at < jobs; at++) pools.push((await poolOf(sagemaker, `job-${at}`))?.Status);
  expect(pools.indexOf("Terminated")).toBe(169);
  expect(pools.slice(0, 169)).toEqual(Array.from({ length: 169 }, () => "Reused"));
});

test("jobs are listed by what became of their pools, page by page", async () => {
  const sagemaker = await world();
  await run(sagemaker, warmJob("cold", 0));
  for (const name of ["a", "b", "c", "d"]) await run(sagemaker, warmJob(name));
  const names = async (input: object): Promise<(string | undefined)[]> => {
    const { TrainingJobSummaries, NextToken } = await sagemaker.call("ListTrainingJobs", {
      SortBy: "Name",
      SortOrder: "Ascending",
      ...input,
    });
    const found = TrainingJobSummaries.map(({ TrainingJobName }) => TrainingJobName);
    return NextToken === undefined ? found : [...found, ...(await names({ ...input, NextToken }))];
  };
  expect(await names({ WarmPoolStatusEquals: "Reused", MaxResults: 2 })).toEqual(["a", "b", "c"]);
  expect(await names({ WarmPoolStatusEquals: "Available" })).toEqual(["d"]);
  expect(await names({ WarmPoolStatusEquals: "InUse" })).toEqual([]);
});

test("spot capacity has no warm pool", async () => {
  const sagemaker = await world();
  const job = warmJob("spot");
  const stopping = { MaxRuntimeInSeconds: 60, MaxWaitTimeInSeconds: 60 };
  await expect(
    sagemaker.call("CreateTrainingJob", { ...job, EnableManagedSpotTraining: true, StoppingCondition: stopping }),
  ).rejects.toThrow("KeepAlivePeriodInSeconds cannot be used");
});
