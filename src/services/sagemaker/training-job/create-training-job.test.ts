import { expect, test } from "vitest";
import type { CreateTrainingJobRequest } from "../../../models/generated/sagemaker.ts";
import { account, fakeSagemaker, kmeansJob, roleArn } from "../sagemaker.fake.ts";

const job = kmeansJob("job");
const [channel] = job.InputDataConfig ?? [];
if (!channel) throw new Error("the example has a channel");

const source = { S3DataType: "S3Prefix", S3Uri: "s3://bucket/data" } as const;

const refused: readonly (readonly [Partial<CreateTrainingJobRequest>, string, string])[] = [
  [
    { RoleArn: "arn:aws:iam::111111111111:role/theirs" },
    "AccessDeniedException",
    "Cross-account pass role is not allowed.",
  ],
  [
    { RoleArn: `arn:aws:iam::${account}:role/nobody` },
    "ValidationException",
    `Could not assume role arn:aws:iam::${account}:role/nobody. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to assume the role.`,
  ],
  [
    { AlgorithmSpecification: { TrainingImage: "example.com/own:1", TrainingInputMode: "File" } },
    "ValidationException",
    "Salvia cannot run the training image example.com/own:1 yet.",
  ],
  [
    { ResourceConfig: { InstanceCount: 5, InstanceType: "ml.c4.xlarge", VolumeSizeInGB: 1 } },
    "ResourceLimitExceeded",
    "The account-level service limit 'ml.c4.xlarge for training job usage' is 4 Instances, with current utilization of 0 Instances and a request delta of 5 Instances.",
  ],
  [
    { InputDataConfig: [{ ...channel, RecordWrapperType: "RecordIO" }] },
    "ValidationException",
    'InputDataConfig "train": RecordWrapperType RecordIO needs the input mode Pipe.',
  ],
  [
    {
      InputDataConfig: [
        { ...channel, DataSource: { S3DataSource: { ...source, S3DataType: "AugmentedManifestFile" } } },
      ],
    },
    "ValidationException",
    'InputDataConfig "train": S3DataType AugmentedManifestFile needs AttributeNames.',
  ],
  [
    {
      InputDataConfig: [
        {
          ...channel,
          DataSource: {
            S3DataSource: { ...source, S3DataType: "AugmentedManifestFile", AttributeNames: ["source-ref"] },
          },
        },
      ],
    },
    "ValidationException",
    'InputDataConfig "train": S3DataType AugmentedManifestFile needs the input mode Pipe.',
  ],
  [
    {
      InputDataConfig: [
        {
          ...channel,
          InputMode: "FastFile",
          DataSource: { S3DataSource: { ...source, S3DataType: "ManifestFile" } },
        },
      ],
    },
    "ValidationException",
    'InputDataConfig "train": the input mode FastFile supports the S3DataType S3Prefix only.',
  ],
  [
    {
      InputDataConfig: [
        { ...channel, InputMode: "Pipe" },
        { ...channel, ChannelName: "train_12" },
      ],
    },
    "ValidationException",
    'InputDataConfig "train_12": the channel "train" has the input mode Pipe, whose epochs are /opt/ml/input/data/train_0, train_1 and so on: /opt/ml/input/data/train_12 cannot be a folder as well.',
  ],
  [
    { InputDataConfig: [{ ...channel, DataSource: { S3DataSource: { ...source, AttributeNames: ["class"] } } }] },
    "ValidationException",
    'InputDataConfig "train": AttributeNames need the S3DataType AugmentedManifestFile.',
  ],
  [
    {
      InputDataConfig: [
        {
          ...channel,
          DataSource: {
            FileSystemDataSource: {
              FileSystemId: "fs-0123456789",
              FileSystemAccessMode: "ro",
              FileSystemType: "EFS",
              DirectoryPath: "/",
            },
          },
        },
      ],
    },
    "ValidationException",
    'InputDataConfig "train": The file system "fs-0123456789" is not known here.',
  ],
  [{ EnableManagedSpotTraining: true }, "ValidationException", "Invalid MaxWaitTimeInSeconds. It must be present"],
  [
    { EnableManagedSpotTraining: true, StoppingCondition: { MaxRuntimeInSeconds: 60, MaxWaitTimeInSeconds: 59 } },
    "ValidationException",
    "greater than or equal to MaxRuntimeInSeconds",
  ],
  [
    { StoppingCondition: { MaxRuntimeInSeconds: 60, MaxWaitTimeInSeconds: 60 } },
    "ValidationException",
    "can only be used when EnableManagedSpotTraining is set to true",
  ],
  [{ CheckpointConfig: { S3Uri: "bucket/c" } }, "ValidationException", "CheckpointConfig.S3Uri"],
  [
    { CheckpointConfig: { S3Uri: "s3://bucket/c", LocalPath: "/var/checkpoints" } },
    "ValidationException",
    "CheckpointConfig.LocalPath outside of /opt/ml is not implemented",
  ],
  [{ InputDataConfig: [channel, channel] }, "ValidationException", 'The channel name "train" is used more than once.'],
  [
    {
      Tags: [
        { Key: "a", Value: "1" },
        { Key: "a", Value: "2" },
      ],
    },
    "ValidationException",
    "Duplicate tag keys",
  ],
];

test.for(refused)("a request with %j is refused as %s: %s", async ([change, code, message]) => {
  const world = await fakeSagemaker();
  const answer = world.call("CreateTrainingJob", { ...job, ...change });
  await expect(answer).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string });
  expect((await world.call("ListTrainingJobs", {})).TrainingJobSummaries).toEqual([]);
});

test.for([
  ["Pipe", "train_0", "Pipe"],
  ["File", "train_0", "File"],
  ["Pipe", "train_00", "File"],
  ["Pipe", "train_x", "FastFile"],
  ["Pipe", "train0", "File"],
] as const)(
  "a channel in mode %s stands beside %s in mode %s: their names do not meet",
  async ([mode, ChannelName, other]) => {
    const world = await fakeSagemaker();
    const InputDataConfig = [
      { ...channel, InputMode: mode },
      { ...channel, ChannelName, InputMode: other },
    ];
    await world.call("CreateTrainingJob", { ...job, InputDataConfig });
  },
);

test("a second job of the same name is refused, also after the first has ended", async () => {
  const world = await fakeSagemaker();
  await world.call("CreateTrainingJob", job);
  await world.settle();
  await expect(world.call("CreateTrainingJob", job)).rejects.toMatchObject({
    code: "ResourceInUse",
    message: `Training job names must be unique within an AWS account and region, and a training job with this name already exists (arn:aws:sagemaker:us-west-2:${account}:training-job/job)`,
  });
});

test("what SDK 2 always sends is accepted and shown", async () => {
  const world = await fakeSagemaker();
  const extras = {
    DebugHookConfig: { S3OutputPath: "s3://bucket/debug", CollectionConfigurations: [] },
    ProfilerConfig: { S3OutputPath: "s3://bucket/profile", DisableProfiler: true },
    Environment: { STAGE: "test" },
    VpcConfig: { SecurityGroupIds: ["sg-1"], Subnets: ["subnet-1"] },
  };
  await world.call("CreateTrainingJob", { ...job, ...extras, Tags: [{ Key: "team", Value: "digits" }] });
  expect(await world.call("DescribeTrainingJob", { TrainingJobName: "job" })).toMatchObject(extras);
});

test("a new job is described with what was asked and the defaults that AWS fills in", async () => {
  const world = await fakeSagemaker();
  const at = world.clock.now();
  await world.call("CreateTrainingJob", { ...job, StoppingCondition: undefined });
  expect(await world.call("DescribeTrainingJob", { TrainingJobName: "job" })).toEqual({
    TrainingJobName: "job",
    TrainingJobArn: `arn:aws:sagemaker:us-west-2:${account}:training-job/job`,
    TrainingJobStatus: "InProgress",
    SecondaryStatus: "Starting",
    HyperParameters: { k: "10", feature_dim: "784" },
    AlgorithmSpecification: {
      TrainingImage: "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1",
      TrainingInputMode: "File",
      MetricDefinitions: [{ Name: "test:msd", Regex: "#quality_metric: host=\\S+, test msd <loss>=(\\S+)" }],
      EnableSageMakerMetricsTimeSeries: true,
    },
    RoleArn: roleArn,
    InputDataConfig: [
      {
        ChannelName: "train",
        DataSource: { S3DataSource: { ...source, S3DataDistributionType: "FullyReplicated" } },
        CompressionType: "None",
        RecordWrapperType: "None",
      },
    ],
    OutputDataConfig: { KmsKeyId: "", CompressionType: "GZIP", S3OutputPath: "s3://bucket/output" },
    ResourceConfig: { InstanceCount: 2, InstanceType: "ml.c4.xlarge", VolumeSizeInGB: 50 },
    StoppingCondition: { MaxRuntimeInSeconds: 86_400 },
    CreationTime: at,
    LastModifiedTime: at,
    SecondaryStatusTransitions: [
      { Status: "Starting", StartTime: at, StatusMessage: "Launching requested ML instances" },
    ],
    EnableNetworkIsolation: false,
    EnableInterContainerTrafficEncryption: false,
    EnableManagedSpotTraining: false,
  });
});

test("a job that nobody made is not found", async () => {
  const world = await fakeSagemaker();
  for (const call of ["DescribeTrainingJob", "StopTrainingJob", "DeleteTrainingJob"] as const)
    await expect(world.call(call, { TrainingJobName: "nobody" })).rejects.toMatchObject({
      code: "ValidationException",
      message: "Requested resource not found.",
    });
});

test("another account sees nothing of a job", async () => {
  const world = await fakeSagemaker();
  await world.call("CreateTrainingJob", job);
  const other = "111111111111";
  expect((await world.call("ListTrainingJobs", {}, other)).TrainingJobSummaries).toEqual([]);
  await expect(world.call("DescribeTrainingJob", { TrainingJobName: "job" }, other)).rejects.toThrow("not found");
});

test("only a job that has ended can be deleted, and its name is free again", async () => {
  const world = await fakeSagemaker();
  await world.call("CreateTrainingJob", job);
  await expect(world.call("DeleteTrainingJob", { TrainingJobName: "job" })).rejects.toMatchObject({
    code: "ResourceInUse",
  });
  await world.settle(); // without data it fails
  await world.call("DeleteTrainingJob", { TrainingJobName: "job" });
  await world.call("CreateTrainingJob", job);
});

test("only a running job can be updated", async () => {
  const world = await fakeSagemaker();
  await world.call("CreateTrainingJob", job);
  await world.call("UpdateTrainingJob", { TrainingJobName: "job", ProfilerConfig: { DisableProfiler: true } });
  expect(await world.call("DescribeTrainingJob", { TrainingJobName: "job" })).toMatchObject({
    ProfilerConfig: { DisableProfiler: true },
  });
  await world.settle();
  await expect(
    world.call("UpdateTrainingJob", { TrainingJobName: "job", ProfilerConfig: { DisableProfiler: false } }),
  ).rejects.toThrow("is in status Failed and cannot be updated");
});

test("jobs are listed newest first, by state, page after page", async () => {
  const world = await fakeSagemaker({ jobs: 2 });
  await world.putObject("data/a", "a");
  for (const name of ["one", "two", "three"]) {
    await world.call("CreateTrainingJob", kmeansJob(name));
    await world.clock.advance(1_000);
  }
  const names = (page: { TrainingJobSummaries: readonly { TrainingJobName: string }[] }): string[] =>
    page.TrainingJobSummaries.map((summary) => summary.TrainingJobName);
  const first = await world.call("ListTrainingJobs", { MaxResults: 2 });
  expect(names(first)).toEqual(["three", "two"]);
  const rest = await world.call("ListTrainingJobs", { MaxResults: 2, NextToken: first.NextToken });
  expect(names(rest)).toEqual(["one"]);
  expect(rest).not.toHaveProperty("NextToken");
  expect(names(await world.call("ListTrainingJobs", { StatusEquals: "Completed" }))).toEqual([]);
});
