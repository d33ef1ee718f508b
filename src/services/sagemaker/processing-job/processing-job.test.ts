import { expect, test } from "vitest";
import { seconds } from "../../../lib/clock.ts";
import type {
  CreateProcessingJobRequest,
  ProcessingInput,
  ProcessingOutput,
} from "../../../models/generated/sagemaker.ts";
import { account, fakeSagemaker, roleArn, runsThrough, type FakeSagemaker } from "../sagemaker.fake.ts";
import { processingFolder } from "./processing-folders.ts";
import { planAnswer } from "../plan-answer.fake.ts";

const image = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3";

const input = (InputName: string, LocalPath: string, S3Uri = "s3://bucket/data/"): ProcessingInput => ({
  InputName,
  S3Input: { S3Uri, LocalPath, S3DataType: "S3Prefix", S3InputMode: "File" },
});
const output = (OutputName: string, LocalPath: string, S3Uri = "s3://bucket/out"): ProcessingOutput => ({
  OutputName,
  S3Output: { S3Uri, LocalPath, S3UploadMode: "EndOfJob" },
});

const request = (changes: Partial<CreateProcessingJobRequest> = {}): CreateProcessingJobRequest => ({
  ProcessingJobName: "job",
  RoleArn: roleArn,
  AppSpecification: { ImageUri: image, ContainerEntrypoint: ["python3", "x.py"], ContainerArguments: ["--a"] },
  ProcessingResources: { ClusterConfig: { InstanceCount: 1, InstanceType: "ml.m5.large", VolumeSizeInGB: 5 } },
  ...changes,
});

async function launched(changes: Partial<CreateProcessingJobRequest> = {}): Promise<FakeSagemaker> {
  const world = await fakeSagemaker();
  for (const name of ["a", "b"]) await world.putObject(`data/${name}`, name);
  await world.call("CreateProcessingJob", request(changes));
  await world.settle();
  return world;
}

const describeJob = (world: FakeSagemaker) => world.call("DescribeProcessingJob", { ProcessingJobName: "job" });
const keysOf = (world: FakeSagemaker): string[] => [...world.tasks.running.keys()].sort();

test("an instance gets its command, its files and the folders of its outputs", async () => {
  const world = await launched({
    ProcessingInputs: [input("code", "/opt/ml/processing/input/code"), input("in", "/opt/ml/processing/input/")],
    ProcessingOutputConfig: { Outputs: [output("out", "/opt/ml/processing/out")] },
    Environment: { MINE: "1" },
  });
  const [key = ""] = keysOf(world);
  const spec = world.tasks.spec(key);
  expect(spec).toMatchObject({
    purpose: "processing",
    program: { kind: "command", argv: ["python3", "x.py", "--a"], python: { name: "scikit-learn" } },
    environment: { MINE: "1", PROCESSING_JOB_NAME: "job" },
    configFolder: "config",
    uploads: [{ name: "output-0", folder: "processing/out", mode: "EndOfJob" }],
    diskBytes: 5 * 2 ** 30,
    maxRuntimeSeconds: 86_400,
    graceSeconds: 120,
  });
  expect(JSON.parse(spec.configFiles["processingjobconfig.json"] ?? "")).toMatchObject({
    ProcessingJobName: "job",
    ProcessingInputs: [{ InputName: "code" }, { InputName: "in" }],
    // What the request leaves open stands there all the same.
    AppSpecification: { ContainerArguments: ["--a"] },
    ProcessingOutputConfig: { KmsKeyId: null },
    ProcessingResources: { ClusterConfig: { VolumeKmsKeyId: null } },
  });
  expect(JSON.parse(spec.configFiles["resourceconfig.json"] ?? "")).toMatchObject({
    current_host: "algo-1",
    hosts: ["algo-1"],
  });
  // The folder around another comes first: each is emptied before it is filled.
  expect(await planAnswer(world.agent(key).request("GET", "plan"))).toMatchObject({
    channels: [
      { name: "in", folder: "processing/input", objects: [{ path: "a" }, { path: "b" }] },
      { name: "code", folder: "processing/input/code" },
    ],
  });
});

test("a job that ends well has its times, its message and its files", async () => {
  const world = await launched({ ProcessingOutputConfig: { Outputs: [output("out", "/opt/ml/processing/out")] } });
  const [key = ""] = keysOf(world);
  const at = world.clock.now().getTime();
  expect((await world.agent(key).request("PUT", "files/output-0/x.csv", "1,2")).status).toBe(204);
  expect((await world.agent(key).request("PUT", "files/output-1/x.csv", "1,2")).status).toBe(404);
  const events = runsThrough(at).slice(0, -1);
  const end = { how: "exited", exitCode: 0, message: "all is well", startedAt: at, endedAt: at } as const;
  await world.agent(key).report([...events, { type: "end", at, end }]);
  await world.clock.advance(seconds(10));
  await world.settle();
  expect(await describeJob(world)).toMatchObject({
    ProcessingJobStatus: "Completed",
    ExitMessage: "all is well",
    ProcessingStartTime: expect.any(Date),
    ProcessingEndTime: expect.any(Date),
  });
  expect(await world.objects.head(account, "bucket", "out/x.csv")).toMatchObject({ sizeBytes: 3 });
  expect(world.lines[0]?.group).toBe("/aws/sagemaker/ProcessingJobs");
  await world.call("DeleteProcessingJob", { ProcessingJobName: "job" });
  await expect(describeJob(world)).rejects.toThrow("Could not find requested job with arn");
});

test("the messages of several instances follow each other, and are cut where they are too long", async () => {
  const ClusterConfig = { InstanceType: "ml.m5.large", InstanceCount: 2, VolumeSizeInGB: 1 } as const;
  const world = await launched({ ProcessingResources: { ClusterConfig } });
  const at = world.clock.now().getTime();
  for (const [nth, key] of keysOf(world).toReversed().entries()) {
    const message = nth === 0 ? "é".repeat(1_024) : "first ";
    const end = { how: "exited", exitCode: 0, message, startedAt: at, endedAt: at } as const;
    await world.agent(key).report([...runsThrough(at).slice(0, -1), { type: "end", at, end }]);
  }
  await world.clock.advance(seconds(10));
  await world.settle();
  expect((await describeJob(world)).ExitMessage).toBe(`first ${"é".repeat(1_018)}`);
});

test("a running job can be stopped, and cannot be deleted", async () => {
  const world = await launched();
  await expect(world.call("DeleteProcessingJob", { ProcessingJobName: "job" })).rejects.toThrow(
    "is in status InProgress",
  );
  await world.call("StopProcessingJob", { ProcessingJobName: "job" });
  await world.settle();
  const [key = ""] = keysOf(world);
  expect([...world.tasks.stopped]).toEqual([key]);
  const at = world.clock.now().getTime();
  await world.agent(key).report([{ type: "end", at, end: { how: "stopped" } }]);
  await world.settle();
  expect(await describeJob(world)).toMatchObject({ ProcessingJobStatus: "Stopped" });
});

const in1 = input("in", "/opt/ml/processing/in");
const gzip: ProcessingInput = { ...in1, S3Input: { ...in1.S3Input!, S3CompressionType: "Gzip" } };

const piped = (name: string, path: string): ProcessingInput => {
  const { S3Input, ...rest } = input(name, path);
  return { ...rest, S3Input: { ...S3Input!, S3InputMode: "Pipe" } };
};

test("an input in Pipe mode comes through FIFOs at its path, unpacked where it says so", async () => {
  const pipe = piped("in", "/opt/ml/processing/in");
  const zipped: ProcessingInput = { ...pipe, S3Input: { ...pipe.S3Input!, S3CompressionType: "Gzip" } };
  const world = await launched({ ProcessingInputs: [zipped] });
  const [key = ""] = keysOf(world);
  expect(world.tasks.spec(key).hasPipes).toBe(true);
  expect(await planAnswer(world.agent(key).request("GET", "plan"))).toMatchObject({
    channels: [{ name: "in", mode: "Pipe", folder: "processing/in", objects: [{ path: "a", isGzip: true }, {}] }],
  });
});

test("folders beside a Pipe input that no FIFO stands in the way of are fine", async () => {
  await launched({
    ProcessingInputs: [
      piped("in", "/opt/ml/processing/in"),
      piped("again", "/opt/ml/processing/in_0"),
      input("other", "/opt/ml/processing/in_x"),
    ],
    ProcessingOutputConfig: { Outputs: [output("o", "/opt/ml/processing/in")] },
  });
});

test.each([
  ["a Pipe input at the top", { ProcessingInputs: [piped("in", "/opt/ml/processing")] }, "must lie below"],
  [
    "an input where a FIFO will be",
    { ProcessingInputs: [piped("in", "/opt/ml/processing/in"), input("b", "/opt/ml/processing/in_3")] },
    "The LocalPath /opt/ml/processing/in_3 goes through /opt/ml/processing/in_3, which is a FIFO of the input at /opt/ml/processing/in: its S3InputMode is Pipe.",
  ],
  [
    "a Pipe input below where a FIFO will be",
    { ProcessingInputs: [piped("in", "/opt/ml/processing/in"), piped("b", "/opt/ml/processing/in_0/x")] },
    "goes through /opt/ml/processing/in_0, which is a FIFO",
  ],
  [
    "an output below where a FIFO will be",
    {
      ProcessingInputs: [piped("in", "/opt/ml/processing/in")],
      ProcessingOutputConfig: { Outputs: [output("o", "/opt/ml/processing/in_0/out")] },
    },
    "goes through /opt/ml/processing/in_0, which is a FIFO",
  ],
  ["an input outside", { ProcessingInputs: [input("in", "/opt/ml/input")] }, "must begin with /opt/ml/processing/"],
  [
    "an output outside",
    { ProcessingOutputConfig: { Outputs: [output("o", "/etc")] } },
    "must begin with /opt/ml/processing/",
  ],
  [
    "a path that climbs",
    { ProcessingInputs: [input("in", "/opt/ml/processing/../x")] },
    "must begin with /opt/ml/processing/",
  ],
  ["two inputs of a name", { ProcessingInputs: [in1, in1] }, "used more than once"],
  ["two inputs in a folder", { ProcessingInputs: [in1, input("b", "/opt/ml/processing/in/")] }, "used more than once"],
  ["gzip in File mode", { ProcessingInputs: [gzip] }, "Gzip can only be used"],
  ["no S3 address", { ProcessingInputs: [input("in", "/opt/ml/processing/in", "data")] }, "s3://bucket/key"],
  ["an unknown image", { AppSpecification: { ImageUri: "own:1" } }, "cannot run the processing image own:1"],
  ["no entrypoint", { AppSpecification: { ImageUri: image } }, "without AppSpecification.ContainerEntrypoint"],
] as const)("%s is refused in words", async (_name, changes, part) => {
  const world = await fakeSagemaker();
  await expect(world.call("CreateProcessingJob", request(changes))).rejects.toThrow(part);
});

test.each([
  [
    "no objects",
    { ProcessingInputs: [input("in", "/opt/ml/processing/in", "s3://bucket/none/")] },
    "No S3 objects found",
  ],
  [
    "no bucket",
    { ProcessingOutputConfig: { Outputs: [output("o", "/opt/ml/processing/o", "s3://none/x")] } },
    "does not exist: none",
  ],
  [
    "a foreign bucket",
    { ProcessingOutputConfig: { Outputs: [output("o", "/opt/ml/processing/o", "s3://foreign/x")] } },
    "Access Denied",
  ],
] as const)("with %s the job fails before anything starts", async (_name, changes, part) => {
  const world = await launched(changes);
  const job = await describeJob(world);
  expect(job).toMatchObject({ ProcessingJobStatus: "Failed", FailureReason: expect.stringContaining(part) });
  expect(keysOf(world)).toEqual([]);
});

test.each([
  ["/opt/ml/processing", "processing"],
  ["/opt/ml/processing/a/b/", "processing/a/b"],
  ["/opt/ml/processing//a", undefined],
  ["/opt/ml/processing/./a", undefined],
  ["/opt/ml/processing-x", undefined],
  ["opt/ml/processing/a", undefined],
  ["", undefined],
])("%j lies in %j", (path, folder) => {
  expect(processingFolder(path)).toBe(folder);
});
