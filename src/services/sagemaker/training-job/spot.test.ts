import { expect, test } from "vitest";
import { parseSpotPolicy } from "../../../compute/spot-policy.ts";
import { minutes, seconds } from "../../../lib/clock.ts";
import { fakeSagemaker, kmeansJob, runsThrough, type FakeSagemaker } from "../sagemaker.fake.ts";

const policy = parseSpotPolicy('{"discountPercent": 75, "interruptions": {"*": {"afterSeconds": [10, 20]}}}');
const stopping = { MaxRuntimeInSeconds: 600, MaxWaitTimeInSeconds: 3_600 };

const describeJob = (world: FakeSagemaker) => world.call("DescribeTrainingJob", { TrainingJobName: "job" });
const keysOf = (world: FakeSagemaker): string[] => [...world.tasks.running.keys()].sort();

async function launched(StoppingCondition: object = stopping): Promise<FakeSagemaker> {
  const world = await fakeSagemaker({ spot: policy });
  await world.putObject("data/a.csv", "a");
  const spot = { EnableManagedSpotTraining: true, StoppingCondition, CheckpointConfig: { S3Uri: "s3://bucket/saved" } };
  await world.call("CreateTrainingJob", { ...kmeansJob("job", 1), ...spot } as never);
  await world.settle();
  return world;
}

/** The running instance begins, and time goes on. */
async function runsFor(world: FakeSagemaker, ms: number): Promise<string> {
  const [key = ""] = keysOf(world);
  const at = world.clock.now().getTime();
  await world.agent(key).report([
    { type: "phase", at, phase: "downloading" },
    { type: "phase", at, phase: "running" },
  ]);
  await world.settle();
  await world.clock.advance(ms);
  await world.settle();
  return key;
}

const stops = (world: FakeSagemaker, key: string, how: "stopped" | "exited" = "stopped") =>
  world.agent(key).report([{ type: "end", at: 1, end: how === "stopped" ? { how } : { how, exitCode: 0 } }]);

test("a job that is interrupted goes on in a new attempt, and only its running is paid, at a discount", async () => {
  const world = await launched();
  const first = await runsFor(world, seconds(12));
  expect([...world.tasks.stopped]).toEqual([first]);
  await stops(world, first);
  await world.settle();
  expect(await describeJob(world)).toMatchObject({ TrainingJobStatus: "InProgress", SecondaryStatus: "Interrupted" });
  await world.clock.advance(seconds(8));
  await world.settle();
  const [second = ""] = keysOf(world);
  expect(second).toContain("-r1-");
  expect(await describeJob(world)).toMatchObject({ TrainingJobStatus: "InProgress", SecondaryStatus: "Starting" });
  await world.agent(second).report(runsThrough(world.clock.now().getTime()));
  await world.clock.advance(seconds(4));
  await world.settle();
  const job = await describeJob(world);
  expect(job).toMatchObject({ TrainingJobStatus: "Completed", EnableManagedSpotTraining: true });
  const { TrainingTimeInSeconds: ran = 0, BillableTimeInSeconds: billable = 0 } = job;
  expect(billable).toBe(Math.ceil(ran * 0.25));
  expect(job.SecondaryStatusTransitions?.map(({ Status }) => Status)).toEqual([
    "Starting",
    "Downloading",
    "Training",
    "Interrupted",
    "Starting",
    "Downloading",
    "Training",
    "Uploading",
    "Completed",
  ]);
  expect(job.SecondaryStatusTransitions?.every(({ StatusMessage }) => Boolean(StatusMessage))).toBe(true);
});

test("a program that ends well within its last two minutes has completed", async () => {
  const world = await launched();
  const key = await runsFor(world, seconds(12));
  await stops(world, key, "exited");
  await world.settle();
  expect(await describeJob(world)).toMatchObject({ TrainingJobStatus: "Completed" });
});

test("an instance that is lost is taken as interrupted, as often as it happens", async () => {
  const world = await launched();
  for (let attempt = 0; attempt < 3; attempt++) {
    const [key = ""] = keysOf(world);
    await world.agent(key).report([{ type: "phase", at: world.clock.now().getTime(), phase: "running" }]);
    world.tasks.running.delete(key);
    await world.clock.advance(seconds(2));
    await world.settle();
    expect(await describeJob(world)).toMatchObject({ TrainingJobStatus: "InProgress", SecondaryStatus: "Interrupted" });
    await world.clock.advance(seconds(3));
    await world.settle();
    expect(await describeJob(world)).toMatchObject({ SecondaryStatus: "Starting" });
  }
  expect(keysOf(world)[0]).toContain("-r3-");
});

test("after MaxWaitTimeInSeconds the job is stopped, wherever it is", async () => {
  const running = await launched({ MaxRuntimeInSeconds: 60, MaxWaitTimeInSeconds: 60 });
  const first = await runsFor(running, seconds(12));
  await stops(running, first);
  await running.clock.advance(minutes(1));
  await running.settle();
  const [second = ""] = keysOf(running);
  if (second !== "") {
    await stops(running, second);
    await running.clock.advance(seconds(5));
    await running.settle();
  }
  expect(await describeJob(running)).toMatchObject({
    TrainingJobStatus: "Stopped",
    SecondaryStatus: "MaxWaitTimeExceeded",
  });
  expect(keysOf(running)).toEqual([]);
});

test("a stop of the user's is a stop, and no interruption", async () => {
  const world = await launched();
  const key = await runsFor(world, seconds(12));
  await world.call("StopTrainingJob", { TrainingJobName: "job" });
  await stops(world, key);
  await world.settle();
  expect(await describeJob(world)).toMatchObject({ TrainingJobStatus: "Stopped", SecondaryStatus: "Stopped" });
});

test("a stop between two attempts keeps the time that the first has run", async () => {
  const world = await launched();
  const key = await runsFor(world, seconds(12));
  await stops(world, key);
  await world.settle();
  expect(await describeJob(world)).toMatchObject({ SecondaryStatus: "Interrupted" });
  await world.call("StopTrainingJob", { TrainingJobName: "job" });
  await world.settle();
  const job = await describeJob(world);
  expect(job).toMatchObject({ TrainingJobStatus: "Stopped", SecondaryStatus: "Stopped", TrainingTimeInSeconds: 12 });
  expect(job.BillableTimeInSeconds).toBe(3);
  expect(keysOf(world)).toEqual([]);
});
