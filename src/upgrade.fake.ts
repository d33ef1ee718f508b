// A server with something of everything in it, and all that a client can see of that: what an upgrade must not lose.
import { createHash } from "node:crypto";
import { CloudWatchClient, GetMetricStatisticsCommand, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateRoleCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeletePublicAccessBlockCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  CreateTrainingJobCommand,
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  DescribeModelCommand,
  DescribeTrainingJobCommand,
  ListTagsCommand,
  SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import type { Clock } from "./lib/clock.ts";

const bucket = "upgraded";
const image = "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1";
const role = "arn:aws:iam::000000000000:role/SalviaExecutionRole";
const name = "old";
const group = "/of/old";
const trust = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" }],
};
const policy = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/public/*` }],
};

type Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string };

export function everyClient(endpoint: string, credentials: Credentials) {
  const options = { endpoint, region: "us-west-2", credentials, maxAttempts: 2 };
  return {
    s3: new S3Client({ ...options, forcePathStyle: true }),
    sagemaker: new SageMakerClient(options),
    logs: new CloudWatchLogsClient(options),
    metrics: new CloudWatchClient(options),
    iam: new IAMClient(options),
  };
}

export type EveryClient = ReturnType<typeof everyClient>;

async function fillBucket({ s3 }: EveryClient): Promise<void> {
  const put = (Key: string, Body: string) =>
    s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body, Tagging: "a=b" }));
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await s3.send(new DeletePublicAccessBlockCommand({ Bucket: bucket }));
  await s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify(policy) }));
  await put("before versions", "first of all");
  await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: "Enabled" } }));
  await put("small", "one");
  await put("small", "two");
  await put("large", "large ".repeat(10_000));
  await put("deleted", "gone");
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: "deleted" }));
  const rows = Array.from({ length: 500 }, (_, at) => `${at % 7},${at % 11}`);
  await put("rows/a.csv", rows.join("\n"));
  for (const Key of ["in parts", "unfinished"]) {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
    const upload = { Bucket: bucket, Key, UploadId };
    const { ETag } = await s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: "part" }));
    if (Key === "unfinished") continue;
    await s3.send(
      new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } }),
    );
  }
}

async function fillSagemaker({ sagemaker }: EveryClient, clock: Clock): Promise<void> {
  const S3DataSource = { S3DataType: "S3Prefix", S3Uri: `s3://${bucket}/rows/` } as const;
  await sagemaker.send(
    new CreateTrainingJobCommand({
      TrainingJobName: name,
      AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: "File" },
      RoleArn: role,
      HyperParameters: { k: "2", feature_dim: "2" },
      InputDataConfig: [{ ChannelName: "train", ContentType: "text/csv;label_size=0", DataSource: { S3DataSource } }],
      OutputDataConfig: { S3OutputPath: `s3://${bucket}/output` },
      ResourceConfig: { InstanceCount: 1, InstanceType: "ml.c5.xlarge", VolumeSizeInGB: 1 },
      StoppingCondition: { MaxRuntimeInSeconds: 600 },
      Tags: [{ Key: "team", Value: "blue" }],
    }),
  );
  const job = () => sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: name }));
  while ((await job()).TrainingJobStatus === "InProgress") await clock.sleep(200);
  const ModelDataUrl = (await job()).ModelArtifacts?.S3ModelArtifacts;
  const PrimaryContainer = { Image: image, ModelDataUrl };
  await sagemaker.send(new CreateModelCommand({ ModelName: name, ExecutionRoleArn: role, PrimaryContainer }));
  await sagemaker.send(
    new CreateEndpointConfigCommand({
      EndpointConfigName: name,
      ProductionVariants: [
        { VariantName: "all", ModelName: name, InitialInstanceCount: 1, InstanceType: "ml.c5.xlarge" },
      ],
    }),
  );
  await sagemaker.send(new CreateEndpointCommand({ EndpointName: name, EndpointConfigName: name }));
  await untilInService({ sagemaker }, clock);
}

export async function untilInService({ sagemaker }: Pick<EveryClient, "sagemaker">, clock: Clock): Promise<void> {
  const endpoint = () => sagemaker.send(new DescribeEndpointCommand({ EndpointName: name }));
  while ((await endpoint()).EndpointStatus !== "InService") await clock.sleep(200);
}

/** Something of everything. Resolves when the job has completed and the endpoint is in service. */
export async function fillServer(clients: EveryClient, clock: Clock): Promise<void> {
  const { logs, metrics, iam } = clients;
  await fillBucket(clients);
  await fillSagemaker(clients, clock);
  await logs.send(new CreateLogGroupCommand({ logGroupName: group, tags: { a: "b" } }));
  await logs.send(new CreateLogStreamCommand({ logGroupName: group, logStreamName: "s" }));
  const timestamp = clock.now().getTime();
  const logEvents = [1, 2, 3].map((at) => ({ timestamp: timestamp + at, message: `line ${at} – é` }));
  await logs.send(new PutLogEventsCommand({ logGroupName: group, logStreamName: "s", logEvents }));
  const Dimensions = [{ Name: "d", Value: "v" }];
  const MetricData = [{ MetricName: "m", Value: 4.5, Unit: "Seconds" as const, Timestamp: clock.now(), Dimensions }];
  await metrics.send(new PutMetricDataCommand({ Namespace: "Old", MetricData }));
  await iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: JSON.stringify(trust) }));
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: name,
      PolicyName: "p",
      PolicyDocument: JSON.stringify({ ...policy, Id: "i" }),
    }),
  );
}

async function seenBucket({ s3 }: EveryClient) {
  const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket }));
  const bodies: string[] = [];
  for (const { Key, VersionId } of Versions) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key, VersionId }));
    bodies.push(
      createHash("sha256")
        .update((await Body?.transformToByteArray()) ?? "")
        .digest("base64"),
    );
  }
  const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  const { Buckets } = await s3.send(new ListBucketsCommand({}));
  const { Policy } = await s3.send(new GetBucketPolicyCommand({ Bucket: bucket }));
  return {
    versions: Versions.map(({ Key, VersionId, ETag, Size, IsLatest }, at) => [
      Key,
      VersionId,
      ETag,
      Size,
      IsLatest,
      bodies[at],
    ]),
    markers: DeleteMarkers.map(({ Key, VersionId, IsLatest }) => [Key, VersionId, IsLatest]),
    uploads: Uploads?.map(({ Key, UploadId }) => [Key, UploadId]),
    buckets: Buckets?.map(({ Name }) => Name),
    policy: Policy,
  };
}

async function seenSagemaker({ sagemaker }: EveryClient) {
  const job = await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: name }));
  const model = await sagemaker.send(new DescribeModelCommand({ ModelName: name }));
  const config = await sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName: name }));
  const endpoint = await sagemaker.send(new DescribeEndpointCommand({ EndpointName: name }));
  const { Tags } = await sagemaker.send(new ListTagsCommand({ ResourceArn: job.TrainingJobArn }));
  const { TrainingJobArn, TrainingJobStatus, SecondaryStatus, HyperParameters, ModelArtifacts, CreationTime } = job;
  return {
    job: { TrainingJobArn, TrainingJobStatus, SecondaryStatus, HyperParameters, ModelArtifacts, CreationTime, Tags },
    transitions: job.SecondaryStatusTransitions?.map(({ Status }) => Status),
    metrics: job.FinalMetricDataList?.map(({ MetricName, Value }) => [MetricName, Value]),
    model: { arn: model.ModelArn, container: model.PrimaryContainer, role: model.ExecutionRoleArn },
    config: { arn: config.EndpointConfigArn, variants: config.ProductionVariants },
    endpoint: { arn: endpoint.EndpointArn, config: endpoint.EndpointConfigName, createdAt: endpoint.CreationTime },
  };
}

/** What must be the same under every later version, as plain JSON. `madeAt` is when the server was filled. */
export async function seenOn(clients: EveryClient, madeAt: Date): Promise<unknown> {
  const { logs, metrics, iam } = clients;
  const { logGroups } = await logs.send(new DescribeLogGroupsCommand({}));
  const linesOf = async (logGroupName: string) =>
    (await logs.send(new FilterLogEventsCommand({ logGroupName }))).events?.map(({ message }) => message);
  const points = await metrics.send(
    new GetMetricStatisticsCommand({
      Namespace: "Old",
      MetricName: "m",
      Dimensions: [{ Name: "d", Value: "v" }],
      StartTime: new Date(madeAt.getTime() - 86_400_000),
      EndTime: new Date(madeAt.getTime() + 86_400_000),
      Period: 86_400,
      Statistics: ["Sum"],
    }),
  );
  const { Role } = await iam.send(new GetRoleCommand({ RoleName: name }));
  const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName: name, PolicyName: "p" }));
  const seen = {
    bucket: await seenBucket(clients),
    sagemaker: await seenSagemaker(clients),
    groups: logGroups
      ?.map(({ logGroupName }) => logGroupName)
      .filter((each) => each !== "/aws/sagemaker/Endpoints/old"),
    lines: [await linesOf(group), await linesOf("/aws/sagemaker/TrainingJobs")],
    sum: points.Datapoints?.reduce((sum, { Sum = 0 }) => sum + Sum, 0),
    role: [Role?.Arn, Role?.RoleId, Role?.AssumeRolePolicyDocument, PolicyDocument],
  };
  return JSON.parse(JSON.stringify(seen));
}
