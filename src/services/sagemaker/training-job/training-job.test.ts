import { gunzipSync, gzipSync } from "node:zlib";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { minutes, seconds } from "../../../lib/clock.ts";
import { account, bodyText, fakeSagemaker, kmeansJob, runsThrough, type FakeSagemaker } from "../sagemaker.fake.ts";
import { planAnswer } from "../plan-answer.fake.ts";

const describeJob = (world: FakeSagemaker, name = "job") =>
  world.call("DescribeTrainingJob", { TrainingJobName: name });

const keysOf = (world: FakeSagemaker): string[] => [...world.tasks.running.keys()].sort();

/** A job with data, launched, as its agents find it. */
async function launched(instances = 2): Promise<FakeSagemaker> {
  const world = await fakeSagemaker();
  for (const name of ["a", "b", "c"]) await world.putObject(`data/${name}.csv`, name);
  await world.call("CreateTrainingJob", kmeansJob("job", instances));
  await world.settle();
  return world;
}

test("a job runs on all its instances and completes with the model of all", async () => {
  const world = await launched();
  expect(keysOf(world).map((key) => key.slice(-6))).toEqual(["algo-1", "algo-2"]);
  expect(await describeJob(world)).toMatchObject({ TrainingJobStatus: "InProgress", SecondaryStatus: "Starting" });

  for (const key of keysOf(world)) {
    const agent = world.agent(key);
    await agent.request("PUT", "parts/model", gzipSync(key.slice(-6)));
    await agent.report(runsThrough(world.clock.now().getTime()));
  }
  await world.clock.advance(seconds(10));
  await world.settle();

  const job = await describeJob(world);
  expect(job).toMatchObject({
    TrainingJobStatus: "Completed",
    SecondaryStatus: "Completed",
    ModelArtifacts: { S3ModelArtifacts: "s3://bucket/output/job/output/model.tar.gz" },
    FinalMetricDataList: [{ MetricName: "test:msd", Value: 6.25 }],
  });
  expect(job.SecondaryStatusTransitions?.map(({ Status }) => Status)).toEqual([
    "Starting",
    "Downloading",
    "Training",
    "Uploading",
    "Completed",
  ]);
  expect(job).not.toHaveProperty("FailureReason");
  const model = await world.objects.read(account, { bucket: "bucket", key: "output/job/output/model.tar.gz" });
  const tar = gunzipSync(await buffer(model));
  expect(tar.subarray(0, 12).toString()).toBe("algo-1algo-2");
  expect(tar.subarray(12)).toEqual(Buffer.alloc(1024));
});

test("a completed job is described with every step, its times and its metrics", async () => {
  const world = await launched(1);
  const at = (secondsLater: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, secondsLater));
  const key = keysOf(world)[0] ?? "";
  await world.clock.advance(seconds(2));
  await world.agent(key).report(runsThrough(world.clock.now().getTime()));
  await world.clock.advance(seconds(6));
  await world.settle();
  const { SecondaryStatusTransitions, ...job } = await describeJob(world);
  expect(SecondaryStatusTransitions).toEqual([
    { Status: "Starting", StartTime: at(0), EndTime: at(2), StatusMessage: "Preparing the instances for training" },
    { Status: "Downloading", StartTime: at(2), EndTime: at(3), StatusMessage: "Downloading input data" },
    {
      Status: "Training",
      StartTime: at(3),
      EndTime: at(5),
      StatusMessage: "Training image download completed. Training in progress.",
    },
    { Status: "Uploading", StartTime: at(5), EndTime: at(8), StatusMessage: "Uploading generated training model" },
    { Status: "Completed", StartTime: at(8), EndTime: at(8), StatusMessage: "Training job completed" },
  ]);
  expect(job).toMatchObject({
    TrainingStartTime: at(2),
    TrainingEndTime: at(8),
    TrainingTimeInSeconds: 6,
    BillableTimeInSeconds: 6,
    LastModifiedTime: at(8),
    FinalMetricDataList: [{ MetricName: "test:msd", Value: 6.25, Timestamp: at(4) }],
  });
  // Ours stay ours.
  expect(Object.keys(job).filter((name) => /^[a-z]/.test(name))).toEqual([]);
});

test("a job that has ended leaves no task, no row, no pin and no reservation behind", async () => {
  const world = await launched();
  for (const key of keysOf(world)) await world.agent(key).report(runsThrough(0));
  await world.settle();
  expect(keysOf(world)).toEqual([]);
  for (const table of ["tasks", "object_pins", "reservations"] as const)
    expect(await world.store.read.selectFrom(table).selectAll().execute()).toEqual([]);
});

test("lines go to the job's log stream and metrics to CloudWatch", async () => {
  const world = await launched(1);
  const [key = ""] = keysOf(world);
  await world
    .agent(key)
    .report([
      ...runsThrough(5_000),
      { type: "usage", at: 6_000, cpuPercent: 90, memoryMegabytes: 100, diskPercent: 7 },
    ]);
  expect(world.lines).toEqual([
    {
      group: "/aws/sagemaker/TrainingJobs",
      stream: `job/algo-1-${world.clock.now().getTime()}`,
      message: "#quality_metric: host=algo-1, test msd <loss>=6.25",
    },
  ]);
  expect(world.metrics.map(({ name, dimensions, namespace }) => ({ name, dimensions, namespace }))).toEqual([
    {
      name: "CPUUtilization",
      dimensions: { Host: "job/algo-1" },
      namespace: "/aws/sagemaker/TrainingJobs",
    },
    {
      name: "MemoryUtilization",
      dimensions: { Host: "job/algo-1" },
      namespace: "/aws/sagemaker/TrainingJobs",
    },
    {
      name: "DiskUtilization",
      dimensions: { Host: "job/algo-1" },
      namespace: "/aws/sagemaker/TrainingJobs",
    },
    {
      name: "test:msd",
      dimensions: { TrainingJobName: "job" },
      namespace: "/aws/sagemaker/TrainingJobs",
    },
  ]);
});

test("every instance gets the container contract's files and an address of the job's own", async () => {
  const world = await launched();
  const [first = "", second = ""] = keysOf(world);
  const { configFiles, environment, network, server } = world.tasks.spec(first);
  const other = world.tasks.spec(second);
  expect(JSON.parse(configFiles["resourceconfig.json"] ?? "")).toEqual({
    current_host: "algo-1",
    current_instance_type: "ml.c4.xlarge",
    current_group_name: "homogeneousCluster",
    hosts: ["algo-1", "algo-2"],
    instance_groups: [
      { instance_group_name: "homogeneousCluster", instance_type: "ml.c4.xlarge", hosts: ["algo-1", "algo-2"] },
    ],
    network_interface_name: "lo",
  });
  expect(JSON.parse(configFiles["inputdataconfig.json"] ?? "")).toEqual({
    train: { TrainingInputMode: "File", S3DistributionType: "FullyReplicated", RecordWrapperType: "None" },
  });
  expect(JSON.parse(configFiles["hyperparameters.json"] ?? "")).toEqual({ k: "10", feature_dim: "784" });
  expect(environment).toMatchObject({
    TRAINING_JOB_NAME: "job",
    CURRENT_HOST: "algo-1",
    AWS_REGION: "us-west-2",
  });
  expect(environment["SALVIA_JOB_TOKEN"]).toBe(other.environment["SALVIA_JOB_TOKEN"]);
  expect(world.tasks.spec(first)).toMatchObject({
    graceSeconds: 120,
    maxRuntimeSeconds: 3_600,
    purpose: "training",
    diskBytes: 50 * 2 ** 30,
  });
  expect(network.addresses["algo-2"]).toMatch(/^127\.\d+\.\d+\.2$/);
  expect(server.token).not.toBe(other.server.token);
});

test("one instance failing stops the others and fails the job with the first failure", async () => {
  const world = await launched();
  const [first = "", second = ""] = keysOf(world);
  await world.agent(second).report([
    { type: "phase", at: 1, phase: "running" },
    { type: "end", at: 5, end: { how: "exited", exitCode: 1, endedAt: 5, failure: "ClientError: no such column" } },
  ]);
  await world.settle();
  expect([...world.tasks.stopped]).toEqual([first]);
  const answer = await world.agent(first).report([{ type: "phase", at: 2, phase: "running" }]);
  expect(JSON.parse(await bodyText(answer))).toEqual({ acknowledged: 1, stop: true });
  await world.agent(first).report([{ type: "end", at: 9, end: { how: "stopped", endedAt: 9 } }]);
  await world.settle();
  expect(await describeJob(world)).toMatchObject({
    TrainingJobStatus: "Failed",
    SecondaryStatus: "Failed",
    FailureReason: "ClientError: no such column",
  });
});

test.for([
  [{ how: "exited", exitCode: 1 }, "AlgorithmError: , exit code: 1"],
  [{ how: "exited", signal: "SIGKILL" }, "AlgorithmError: , exit code: 137"],
  [{ how: "exited", exitCode: 2, failure: "ran out of ideas" }, "AlgorithmError: ran out of ideas, exit code: 2"],
  [
    { how: "setup-failed", failure: "ClientError: Data download failed: gone" },
    "ClientError: Data download failed: gone",
  ],
] as const)("an end of %j fails the job with %s", async ([end, reason]) => {
  const world = await launched(1);
  await world.agent(keysOf(world)[0] ?? "").report([{ type: "end", at: 1, end }]);
  await world.settle();
  expect(await describeJob(world)).toMatchObject({ TrainingJobStatus: "Failed", FailureReason: reason });
});

test("a stop shows at once, reaches every agent, and ends the job as Stopped with the model so far", async () => {
  const world = await launched(1);
  const [key = ""] = keysOf(world);
  await world.agent(key).report([{ type: "phase", at: world.clock.now().getTime(), phase: "running" }]);
  await world.settle();
  await world.call("StopTrainingJob", { TrainingJobName: "job" });
  expect(await describeJob(world)).toMatchObject({ TrainingJobStatus: "Stopping", SecondaryStatus: "Stopping" });
  await world.settle();
  expect([...world.tasks.stopped]).toEqual([key]);
  await world.agent(key).request("PUT", "parts/model", gzipSync("half a model"));
  await world.agent(key).report([{ type: "end", at: 1, end: { how: "stopped", modelFiles: ["model"] } }]);
  await world.settle();
  expect(await describeJob(world)).toMatchObject({
    TrainingJobStatus: "Stopped",
    SecondaryStatus: "Stopped",
    ModelArtifacts: { S3ModelArtifacts: "s3://bucket/output/job/output/model.tar.gz" },
  });
  await expect(world.call("StopTrainingJob", { TrainingJobName: "job" })).rejects.toThrow(
    "The request was rejected because the training job is in status Stopped.",
  );
});

test("a job that ran out of time is Stopped with MaxRuntimeExceeded", async () => {
  const world = await launched(1);
  await world.agent(keysOf(world)[0] ?? "").report([{ type: "end", at: 1, end: { how: "timed-out" } }]);
  await world.settle();
  expect(await describeJob(world)).toMatchObject({
    TrainingJobStatus: "Stopped",
    SecondaryStatus: "MaxRuntimeExceeded",
  });
});

test("a job stopped in the line never starts", async () => {
  const world = await fakeSagemaker({ jobs: 2 });
  await world.putObject("data/a", "a");
  await world.call("CreateTrainingJob", kmeansJob("first"));
  await world.settle();
  await world.call("CreateTrainingJob", kmeansJob("second"));
  await world.settle();
  const waiting = await describeJob(world, "second");
  expect(waiting.SecondaryStatus).toBe("Starting");
  expect(waiting.SecondaryStatusTransitions?.at(-1)?.StatusMessage).toBe(
    "Waiting for capacity: 2 instances wanted, 0 of 2 free, next in line",
  );
  await world.call("StopTrainingJob", { TrainingJobName: "second" });
  await world.settle();
  expect(await describeJob(world, "second")).toMatchObject({ TrainingJobStatus: "Stopped" });
  expect(world.tasks.starts.size).toBe(2);
});

test("a waiting job starts as soon as another gives its instances back", async () => {
  const world = await fakeSagemaker({ jobs: 2 });
  await world.putObject("data/a", "a");
  await world.call("CreateTrainingJob", kmeansJob("first"));
  await world.settle();
  await world.call("CreateTrainingJob", kmeansJob("second"));
  await world.settle();
  for (const key of keysOf(world)) await world.agent(key).report(runsThrough(0));
  await world.settle();
  expect(await describeJob(world, "first")).toMatchObject({ TrainingJobStatus: "Completed" });
  expect(keysOf(world)).toHaveLength(2);
});

test("an instance lost before it ran is started again under another key, once", async () => {
  const world = await launched(1);
  const [first = ""] = keysOf(world);
  world.tasks.running.delete(first);
  await world.clock.advance(seconds(5));
  await world.settle();
  const [second = ""] = keysOf(world);
  expect(second).toMatch(/-r1-algo-1$/);
  expect((await world.agent(first).request("POST", "reports", "{}")).status).toBe(410);
  world.tasks.running.delete(second);
  await world.clock.advance(seconds(5));
  await world.settle();
  expect(await describeJob(world)).toMatchObject({
    TrainingJobStatus: "Failed",
    FailureReason: "InternalServerError: The instance was lost. Please try again.",
  });
});

test("no data under the prefix fails the job with AWS's text", async () => {
  const world = await fakeSagemaker();
  await world.call("CreateTrainingJob", kmeansJob("job"));
  await world.settle();
  const { FailureReason } = await describeJob(world);
  expect(FailureReason).toMatch(
    /^ClientError: Data download failed: No S3 objects found under S3 URL "s3:\/\/bucket\/data" given in input data source\./,
  );
});

test("bad hyperparameters fail the job before anything starts", async () => {
  const world = await fakeSagemaker();
  await world.call("CreateTrainingJob", { ...kmeansJob("job"), HyperParameters: {} });
  await world.settle();
  expect(await describeJob(world)).toMatchObject({
    TrainingJobStatus: "Failed",
    FailureReason: 'ClientError: the hyperparameter "k" is missing',
  });
  expect(world.tasks.starts.size).toBe(0);
});

test("time is billed from the first download to the end", async () => {
  const world = await launched(1);
  const start = world.clock.now().getTime();
  await world.agent(keysOf(world)[0] ?? "").report([{ type: "phase", at: start, phase: "downloading" }]);
  await world.settle();
  await world.clock.advance(minutes(2));
  await world.agent(keysOf(world)[0] ?? "").report([{ type: "end", at: start, end: { how: "exited", exitCode: 0 } }]);
  await world.settle();
  expect(await describeJob(world)).toMatchObject({
    TrainingStartTime: new Date(start),
    TrainingEndTime: new Date(start + minutes(2)),
    TrainingTimeInSeconds: 120,
    BillableTimeInSeconds: 120,
  });
});

test("checkpoints are restored on every attempt, stored beside, and said to the program", async () => {
  const world = await fakeSagemaker();
  await world.putObject("data/a.csv", "a");
  await world.putObject("saved/job/deep/step-1", "one");
  await world.putObject("saved/jobs", "another job's");
  const CheckpointConfig = { S3Uri: "s3://bucket/saved/job", LocalPath: "/opt/ml/checkpoints/mine" };
  await world.call("CreateTrainingJob", {
    ...kmeansJob("job", 1),
    CheckpointConfig,
    RetryStrategy: { MaximumRetryAttempts: 1 },
  });
  await world.settle();
  const [first = ""] = keysOf(world);
  expect(world.tasks.spec(first)).toMatchObject({
    uploads: [{ name: "checkpoints", folder: "checkpoints/mine", mode: "Continuous" }],
    configFiles: { "checkpointconfig.json": JSON.stringify(CheckpointConfig) },
  });
  const restored = async (key: string): Promise<unknown> => {
    const plan = await planAnswer(world.agent(key).request("GET", "plan"));
    return plan.channels.at(-1);
  };
  expect(await restored(first)).toMatchObject({ folder: "checkpoints/mine", objects: [{ path: "deep/step-1" }] });
  expect((await world.agent(first).request("PUT", "files/checkpoints/deep/step-2", "two")).status).toBe(204);
  expect(await world.objects.head(account, "bucket", "saved/job/deep/step-2")).toMatchObject({ sizeBytes: 3 });

  await world.agent(first).report([{ type: "phase", at: 1, phase: "running" }]);
  world.tasks.running.delete(first);
  await world.clock.advance(minutes(1));
  await world.settle();
  const [second = ""] = keysOf(world);
  expect(second).toContain("-r1-");
  expect(await restored(second)).toMatchObject({ objects: [{ path: "deep/step-1" }, { path: "deep/step-2" }] });
  expect(await describeJob(world)).toMatchObject({ TrainingJobStatus: "InProgress", CheckpointConfig });
});

test.each([
  [{ S3Uri: "s3://no-such-bucket/x" }, "The specified bucket does not exist: no-such-bucket"],
  [{ S3Uri: "s3://foreign/x" }, "Access Denied"],
])("checkpoints that cannot be kept at %j fail the job before it starts", async (CheckpointConfig, part) => {
  const world = await fakeSagemaker();
  await world.putObject("data/a.csv", "a");
  await world.call("CreateTrainingJob", { ...kmeansJob("job", 1), CheckpointConfig });
  await world.settle();
  const job = await describeJob(world);
  expect(job).toMatchObject({ TrainingJobStatus: "Failed", FailureReason: expect.stringContaining(part) });
});
