// A job and an endpoint told as a story, by AWS's own clients, on a whole server whose tasks only exist.
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  CreateTrainingJobCommand,
  DescribeTrainingJobCommand,
  SageMakerClient,
  StopTrainingJobCommand,
  type CreateTrainingJobCommandInput,
} from "@aws-sdk/client-sagemaker";
import { expect, onTestFinished, test } from "vitest";
import { CapacityError } from "./compute/backend.ts";
import { minutes } from "./lib/clock.ts";
import { fakeAccount, startFakeSalvia, type FakeSalvia } from "./salvia.fake.ts";

interface Story extends FakeSalvia {
  readonly s3: S3Client;
  readonly sagemaker: SageMakerClient;
  readonly status: () => Promise<readonly [string | undefined, string | undefined]>;
}

async function startStory(): Promise<Story> {
  const salvia = await startFakeSalvia();
  const s3 = new S3Client(salvia.client);
  const sagemaker = new SageMakerClient(salvia.client);
  onTestFinished(async () => {
    s3.destroy();
    sagemaker.destroy();
    await salvia.stop();
  });
  await s3.send(new CreateBucketCommand({ Bucket: "digits" }));
  await s3.send(new PutObjectCommand({ Bucket: "digits", Key: "train/0", Body: "1,2\n" }));
  const status: Story["status"] = async () => {
    const job = await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: "job" }));
    return [job.TrainingJobStatus, job.SecondaryStatus];
  };
  return { ...salvia, s3, sagemaker, status };
}

const job: CreateTrainingJobCommandInput = {
  TrainingJobName: "job",
  AlgorithmSpecification: {
    TrainingImage: "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1",
    TrainingInputMode: "File",
  },
  RoleArn: `arn:aws:iam::${fakeAccount}:role/SalviaExecutionRole`,
  HyperParameters: { k: "10", feature_dim: "784" },
  InputDataConfig: [
    {
      ChannelName: "train",
      DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: "s3://digits/train" } },
    },
  ],
  OutputDataConfig: { S3OutputPath: "s3://digits/output" },
  ResourceConfig: { InstanceCount: 2, InstanceType: "ml.c4.xlarge", VolumeSizeInGB: 50 },
  StoppingCondition: { MaxRuntimeInSeconds: 3_600 },
};

const keysOf = ({ compute }: FakeSalvia): Promise<string[]> => Array.fromAsync(compute.list());

test("a job whose second instance finds no room waits, runs on both, and completes when both have ended well", async () => {
  const story = await startStory();
  const { compute, clock, sagemaker, settle, status } = story;
  compute.failNext = { error: new CapacityError("no ml.c4.xlarge left"), afterStart: false };
  await sagemaker.send(new CreateTrainingJobCommand(job));
  await settle();
  expect(await status()).toEqual(["InProgress", "Starting"]);
  expect(await keysOf(story)).toHaveLength(1);

  await clock.advance(minutes(1));
  await settle();
  const keys = await keysOf(story);
  expect(keys).toHaveLength(2);
  const at = clock.now().getTime();
  for (const key of keys) await compute.report(key, [{ type: "phase", at, phase: "running" }]);
  await settle();
  expect(await status()).toEqual(["InProgress", "Training"]);

  const end = { how: "exited", exitCode: 0, startedAt: at, endedAt: at } as const;
  for (const key of keys) await compute.finish(key, end);
  await clock.advance(minutes(1));
  await settle();
  expect(await status()).toEqual(["Completed", "Completed"]);
  expect([...compute.starts.values()]).toEqual([1, 1]);
  expect(story.errors).toEqual([]);
});

test("a job that is stopped has its tasks stopped, with the grace that AWS gives", async () => {
  const story = await startStory();
  const { compute, clock, sagemaker, settle, status } = story;
  await sagemaker.send(new CreateTrainingJobCommand(job));
  await settle();
  const keys = await keysOf(story);
  await sagemaker.send(new StopTrainingJobCommand({ TrainingJobName: "job" }));
  await settle();
  await clock.advance(minutes(1));
  await settle();
  expect(await status()).toEqual(["Stopped", "Stopped"]);
  expect(Object.fromEntries(compute.stops)).toEqual(Object.fromEntries(keys.map((key) => [key, 120])));
});

test("objects are listed by a real client under the clock of the test", async () => {
  const { s3, clock } = await startStory();
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: "digits" }));
  expect(Contents?.map(({ Key, LastModified }) => [Key, LastModified])).toEqual([["train/0", clock.now()]]);
});
