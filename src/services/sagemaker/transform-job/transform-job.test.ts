import { expect, test } from "vitest";
import { minutes, seconds } from "../../../lib/clock.ts";
import type { CreateTransformJobRequest } from "../../../models/generated/sagemaker.ts";
import { fakeSagemaker, roleArn, runsThrough, type FakeSagemaker } from "../sagemaker.fake.ts";
import { planAnswer } from "../plan-answer.fake.ts";

const image = "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1";

const request = (changes: Partial<CreateTransformJobRequest> = {}): CreateTransformJobRequest => ({
  TransformJobName: "job",
  ModelName: "model",
  TransformInput: { DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: "s3://bucket/data/" } } },
  TransformOutput: { S3OutputPath: "s3://bucket/out" },
  TransformResources: { InstanceType: "ml.m5.large", InstanceCount: 1 },
  ...changes,
});

async function ground(): Promise<FakeSagemaker> {
  const world = await fakeSagemaker();
  for (const name of ["a", "b", "c"]) await world.putObject(`data/${name}`, name);
  await world.putObject("model.tar.gz", "model");
  const PrimaryContainer = {
    Image: image,
    ModelDataUrl: "s3://bucket/model.tar.gz",
    Environment: { A: "model", B: "model" },
  };
  await world.call("CreateModel", { ModelName: "model", ExecutionRoleArn: roleArn, PrimaryContainer });
  return world;
}

async function launched(changes: Partial<CreateTransformJobRequest> = {}): Promise<FakeSagemaker> {
  const world = await ground();
  await world.call("CreateTransformJob", request(changes));
  await world.settle();
  return world;
}

const describeJob = (world: FakeSagemaker) => world.call("DescribeTransformJob", { TransformJobName: "job" });
const keysOf = (world: FakeSagemaker): string[] => [...world.tasks.running.keys()].sort();

test("each instance serves the model and is given its share of the objects, and the job completes with the last", async () => {
  const world = await launched({
    TransformResources: { InstanceType: "ml.m5.large", InstanceCount: 2 },
    Environment: { B: "job" },
    MaxPayloadInMB: 2,
  });
  const [first = "", second = ""] = keysOf(world);
  const spec = world.tasks.running.get(first);
  expect(spec).toMatchObject({
    purpose: "transform",
    program: { kind: "algorithm", name: "kmeans", command: "serve" },
    environment: { A: "model", B: "job", SAGEMAKER_BATCH: "true", SAGEMAKER_MAX_PAYLOAD_IN_MB: "2" },
    transform: { splitType: "None", timeoutSeconds: 600, maxPayloadMegabytes: 2 },
  });
  const planOf = async (key: string): Promise<unknown> => planAnswer(world.agent(key).request("GET", "plan"));
  expect(await planOf(first)).toMatchObject({
    channels: [{ mode: "Stream", objects: [{ path: "a" }, { path: "c" }] }],
    modelArchives: [{ path: "model.tar.gz", sizeBytes: 5 }],
  });
  expect(await planOf(second)).toMatchObject({ channels: [{ objects: [{ path: "b" }] }] });
  const stored = await world.agent(first).request("PUT", "files/output/deep/a.out", "answer");
  expect(stored.status).toBe(204);
  expect((await world.agent(first).request("PUT", "files/other/a", "x")).status).toBe(404);
  for (const key of [first, second]) await world.agent(key).report(runsThrough(world.clock.now().getTime()));
  await world.clock.advance(seconds(10));
  await world.settle();
  expect(await describeJob(world)).toMatchObject({
    TransformJobStatus: "Completed",
    TransformStartTime: expect.any(Date),
    TransformEndTime: expect.any(Date),
    DataProcessing: { InputFilter: "$", OutputFilter: "$", JoinSource: "None" },
    TransformInput: { SplitType: "None", CompressionType: "None" },
  });
  expect(await world.objects.head("000000000000", "bucket", "out/deep/a.out")).toMatchObject({ sizeBytes: 6 });
  expect(keysOf(world)).toEqual([]);
  for (const table of ["tasks", "object_pins", "reservations"] as const)
    expect(await world.store.read.selectFrom(table).selectAll().execute()).toEqual([]);
});

test("an instance that fails fails the job with its words, once the others have done their share", async () => {
  const world = await launched({ TransformResources: { InstanceType: "ml.m5.large", InstanceCount: 2 } });
  const [first = "", second = ""] = keysOf(world);
  const at = world.clock.now().getTime();
  const failure = "ClientError: a: the model answered 500: no";
  await world.agent(first).report([
    { type: "phase", at, phase: "running" },
    { type: "end", at, end: { how: "exited", exitCode: 1, failure, startedAt: at, endedAt: at } },
  ]);
  await world.settle();
  expect([...world.tasks.stopped]).toEqual([]);
  expect(await describeJob(world)).toMatchObject({ TransformJobStatus: "InProgress" });
  await world.agent(second).report(runsThrough(at));
  await world.settle();
  const job = await describeJob(world);
  expect(job).toMatchObject({ TransformJobStatus: "Failed", FailureReason: failure });
});

test("an instance that is lost while it runs ends the others", async () => {
  const world = await launched({ TransformResources: { InstanceType: "ml.m5.large", InstanceCount: 2 } });
  const [first = "", second = ""] = keysOf(world);
  const at = world.clock.now().getTime();
  await world.agent(first).report([
    { type: "phase", at, phase: "running" },
    { type: "end", at, end: { how: "lost", endedAt: at } },
  ]);
  await world.settle();
  expect([...world.tasks.stopped]).toEqual([second]);
});

test("the model is told of the request what it says, and nothing more", async () => {
  const environmentOf = async (changes: Partial<CreateTransformJobRequest>): Promise<string[]> => {
    const world = await launched(changes);
    const { environment } = world.tasks.running.get(keysOf(world)[0] ?? "") ?? {};
    return Object.entries(environment ?? {}).flatMap(([name, value]) =>
      /BATCH|MAX/.test(name) ? [`${name}=${value}`] : [],
    );
  };
  expect(await environmentOf({})).toEqual(["SAGEMAKER_BATCH=true"]);
  const asked = { BatchStrategy: "SingleRecord", MaxPayloadInMB: 0, MaxConcurrentTransforms: 3 } as const;
  expect(await environmentOf(asked)).toEqual([
    "SAGEMAKER_BATCH=true",
    "SAGEMAKER_MAX_PAYLOAD_IN_MB=0",
    "SAGEMAKER_BATCH_STRATEGY=SINGLE_RECORD",
    "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS=3",
  ]);
});

test.each([
  [
    "no objects",
    { TransformInput: { DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: "s3://bucket/none/" } } } },
    "No S3 objects found",
  ],
  [
    "no bucket for the output",
    { TransformOutput: { S3OutputPath: "s3://no-such-bucket/x" } },
    "The specified bucket does not exist",
  ],
  ["a foreign bucket for the output", { TransformOutput: { S3OutputPath: "s3://foreign/x" } }, "Access Denied"],
] as const)("with %s the job fails before anything starts", async (_name, changes, part) => {
  const world = await launched(changes);
  const job = await describeJob(world);
  expect(job.TransformJobStatus).toBe("Failed");
  expect(job.FailureReason).toContain(part);
  expect(keysOf(world)).toEqual([]);
});

test("a job is stopped before and after its launch", async () => {
  const early = await ground();
  await early.call("CreateTransformJob", request());
  await early.call("StopTransformJob", { TransformJobName: "job" });
  expect(await describeJob(early)).toMatchObject({ TransformJobStatus: "Stopping" });
  await early.settle();
  expect(await describeJob(early)).toMatchObject({ TransformJobStatus: "Stopped" });
  await expect(early.call("StopTransformJob", { TransformJobName: "job" })).rejects.toThrow("is in status Stopped");

  const late = await launched();
  const [key = ""] = keysOf(late);
  await late.call("StopTransformJob", { TransformJobName: "job" });
  await late.settle();
  const at = late.clock.now().getTime();
  await late.agent(key).report([{ type: "end", at, end: { how: "stopped" } }]);
  await late.settle();
  expect(await describeJob(late)).toMatchObject({ TransformJobStatus: "Stopped" });
});

test.each([
  ["a filter that is none", { DataProcessing: { InputFilter: "$..x" } }, "DataProcessing.InputFilter"],
  [
    "filters over RecordIO",
    { DataProcessing: {}, TransformInput: { ...request().TransformInput, SplitType: "RecordIO" } },
    "SplitType RecordIO",
  ],
  ["more than 100 MB in flight", { MaxConcurrentTransforms: 20, MaxPayloadInMB: 6 }, "must not exceed 100 MB"],
  ["batches without a limit", { MaxPayloadInMB: 0, BatchStrategy: "MultiRecord" }, "SingleRecord"],
  [
    "an augmented manifest",
    {
      TransformInput: {
        DataSource: { S3DataSource: { S3DataType: "AugmentedManifestFile", S3Uri: "s3://bucket/manifest" } },
      },
    },
    "AugmentedManifestFile cannot be used with batch transform",
  ],
  ["an unknown model", { ModelName: "none" }, "Could not find model"],
  ["too many instances", { TransformResources: { InstanceType: "ml.m5.large", InstanceCount: 9 } }, "service limit"],
  ["data capture", { DataCaptureConfig: { DestinationS3Uri: "s3://bucket/x" } }, "DataCaptureConfig"],
] as const)("%s is refused in words", async (_name, changes, part) => {
  const world = await ground();
  await expect(world.call("CreateTransformJob", request(changes))).rejects.toThrow(part);
});

test("an instance that is lost before anything ran is replaced once", async () => {
  const world = await launched();
  const [first = ""] = keysOf(world);
  world.tasks.running.delete(first);
  await world.clock.advance(minutes(1));
  await world.settle();
  expect(keysOf(world).map((key) => key.slice(-9))).toEqual(["r1-algo-1"]);
  expect(await describeJob(world)).toMatchObject({ TransformJobStatus: "InProgress" });
});
