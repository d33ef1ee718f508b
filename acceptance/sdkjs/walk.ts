// The AWS SDK for JavaScript 3, unpatched, through what its users do; each part says when it is done. Endpoint, region and keys come
// from the environment, as the SDK itself reads them.
import { strict as assert } from "node:assert";
import { randomBytes } from "node:crypto";
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  ListMetricsCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
} from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  GetQueryResultsCommand,
  paginateFilterLogEvents,
  PutLogEventsCommand,
  StartLiveTailCommand,
  StartQueryCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateRoleCommand, GetRoleCommand, IAMClient, NoSuchEntityException } from "@aws-sdk/client-iam";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  NoSuchKey,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  CreateTrainingJobCommand,
  DeleteEndpointCommand,
  DescribeTrainingJobCommand,
  paginateListTrainingJobs,
  SageMakerClient,
  waitUntilEndpointInService,
  waitUntilTrainingJobCompletedOrStopped,
} from "@aws-sdk/client-sagemaker";
import { InvokeEndpointCommand, SageMakerRuntimeClient } from "@aws-sdk/client-sagemaker-runtime";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const region = "us-west-2";
const Bucket = "sdk-js";
const job = "sdk-js-kmeans";
const image = "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1";
const [s3, sagemaker, runtime] = [new S3Client(), new SageMakerClient(), new SageMakerRuntimeClient()];
const [logs, cloudwatch, iam, sts] = [
  new CloudWatchLogsClient(),
  new CloudWatchClient(),
  new IAMClient(),
  new STSClient(),
];

const caller = await sts.send(new GetCallerIdentityCommand());
const role = `arn:aws:iam::${caller.Account}:role/SalviaExecutionRole`;

async function identities(): Promise<void> {
  assert.match(caller.Arn ?? "", /assumed-role\/SalviaExecutionRole\//);
  const session = await sts.send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: "js" }));
  assert.match(session.Credentials?.AccessKeyId ?? "", /^ASIA/);
  const trust = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "sagemaker.amazonaws.com" }, Action: "sts:AssumeRole" }],
  };
  await iam.send(new CreateRoleCommand({ RoleName: "js", AssumeRolePolicyDocument: JSON.stringify(trust) }));
  assert.equal((await iam.send(new GetRoleCommand({ RoleName: "js" }))).Role?.RoleName, "js");
  await assert.rejects(iam.send(new GetRoleCommand({ RoleName: "nobody" })), NoSuchEntityException);
}

async function objects(): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: region } }));
  const body = randomBytes(300_000);
  // Metadata beyond ASCII: this SDK sends, and expects, Latin-1.
  await s3.send(
    new PutObjectCommand({ Bucket, Key: "a b/ü", Body: body, Metadata: { who: "é" }, ChecksumAlgorithm: "SHA256" }),
  );
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: "a b/ü", ChecksumMode: "ENABLED" }));
  assert.deepEqual(Buffer.from((await got.Body?.transformToByteArray()) ?? []), body);
  assert.equal(got.Metadata?.["who"], "é");
  const part = await s3.send(new GetObjectCommand({ Bucket, Key: "a b/ü", Range: "bytes=10-19" }));
  assert.deepEqual(Buffer.from((await part.Body?.transformToByteArray()) ?? []), body.subarray(10, 20));
  await assert.rejects(s3.send(new GetObjectCommand({ Bucket, Key: "none" })), NoSuchKey);
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "large" }));
  const Parts = [];
  for (const PartNumber of [1, 2]) {
    const Body = Buffer.alloc(5 * 1_048_576, PartNumber);
    const { ETag, ChecksumCRC32 } = await s3.send(
      new UploadPartCommand({ Bucket, Key: "large", UploadId, PartNumber, Body }),
    );
    Parts.push({ PartNumber, ETag, ChecksumCRC32 });
  }
  await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key: "large", UploadId, MultipartUpload: { Parts } }));
  for (let at = 0; at < 12; at++) await s3.send(new PutObjectCommand({ Bucket, Key: `many/${at}`, Body: `${at}` }));
  const keys = [];
  for await (const page of paginateListObjectsV2({ client: s3, pageSize: 5 }, { Bucket, Prefix: "many/" }))
    keys.push(...(page.Contents ?? []).map(({ Key }) => Key));
  assert.equal(keys.length, 12);
}

/** Rows around four centres. */
const rows = Array.from({ length: 400 }, (_, at) => [
  at % 4 === 0 ? 9 : 0,
  at % 4 === 1 ? 9 : 0,
  at % 4 === 2 ? 9 : 0,
  (at % 7) / 10,
]);

async function training(): Promise<string> {
  const Body = rows.map((row) => row.join(",")).join("\n");
  await s3.send(new PutObjectCommand({ Bucket, Key: "train/rows.csv", Body }));
  const source = {
    S3DataType: "S3Prefix" as const,
    S3Uri: `s3://${Bucket}/train/`,
    S3DataDistributionType: "FullyReplicated" as const,
  };
  await sagemaker.send(
    new CreateTrainingJobCommand({
      TrainingJobName: job,
      AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: "File" },
      RoleArn: role,
      HyperParameters: { k: "4", feature_dim: "4" },
      InputDataConfig: [
        { ChannelName: "train", ContentType: "text/csv;label_size=0", DataSource: { S3DataSource: source } },
      ],
      OutputDataConfig: { S3OutputPath: `s3://${Bucket}/out` },
      ResourceConfig: { InstanceCount: 1, InstanceType: "ml.m5.xlarge", VolumeSizeInGB: 10 },
      StoppingCondition: { MaxRuntimeInSeconds: 600 },
    }),
  );
  await waitUntilTrainingJobCompletedOrStopped(
    { client: sagemaker, maxWaitTime: 60, minDelay: 1, maxDelay: 1 },
    { TrainingJobName: job },
  );
  const ended = await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: job }));
  assert.equal(ended.TrainingJobStatus, "Completed", ended.FailureReason);
  assert.ok(ended.CreationTime instanceof Date);
  const names = [];
  for await (const page of paginateListTrainingJobs({ client: sagemaker, pageSize: 1 }, {}))
    names.push(...(page.TrainingJobSummaries ?? []).map(({ TrainingJobName }) => TrainingJobName));
  assert.deepEqual(names, [job]);
  return ended.ModelArtifacts?.S3ModelArtifacts ?? "";
}

async function hosting(model: string): Promise<void> {
  const named = { ModelName: job, EndpointConfigName: job, EndpointName: job };
  await sagemaker.send(
    new CreateModelCommand({
      ...named,
      ExecutionRoleArn: role,
      PrimaryContainer: { Image: image, ModelDataUrl: model },
    }),
  );
  const variant = { VariantName: "all", ModelName: job, InitialInstanceCount: 1, InstanceType: "ml.m5.large" as const };
  await sagemaker.send(new CreateEndpointConfigCommand({ ...named, ProductionVariants: [variant] }));
  await sagemaker.send(new CreateEndpointCommand(named));
  await waitUntilEndpointInService({ client: sagemaker, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, named);
  const Body = rows
    .slice(0, 8)
    .map((row) => row.join(","))
    .join("\n");
  const answer = await runtime.send(new InvokeEndpointCommand({ ...named, ContentType: "text/csv", Body }));
  const { predictions } = JSON.parse(answer.Body.transformToString()) as { predictions: { closest_cluster: number }[] };
  const clusters = predictions.map((each) => each.closest_cluster);
  assert.equal(new Set(clusters).size, 4);
  assert.deepEqual(clusters.slice(0, 4), clusters.slice(4));
  await sagemaker.send(new DeleteEndpointCommand(named));
}

async function linesAndQueries(): Promise<void> {
  const logGroupName = "/aws/sagemaker/TrainingJobs";
  const lines = [];
  for await (const page of paginateFilterLogEvents(
    { client: logs, pageSize: 3 },
    { logGroupName, logStreamNamePrefix: `${job}/` },
  ))
    lines.push(...(page.events ?? []));
  assert.ok(lines.length > 5);
  const now = Math.floor(Date.now() / 1_000);
  const { queryId } = await logs.send(
    new StartQueryCommand({
      logGroupName,
      startTime: now - 3_600,
      endTime: now + 60,
      queryString: "stats count(*) as n by @logStream",
    }),
  );
  let found = await logs.send(new GetQueryResultsCommand({ queryId }));
  while (found.status !== "Complete") found = await logs.send(new GetQueryResultsCommand({ queryId }));
  assert.equal(found.results?.[0]?.find(({ field }) => field === "n")?.value, String(lines.length));
}

async function metricsAndAlarms(): Promise<void> {
  const now = Math.floor(Date.now() / 1_000);
  await cloudwatch.send(new PutMetricDataCommand({ Namespace: "js", MetricData: [{ MetricName: "m", Value: 4 }] }));
  const listed = await cloudwatch.send(new ListMetricsCommand({ Namespace: "js" }));
  assert.deepEqual(
    listed.Metrics?.map(({ MetricName }) => MetricName),
    ["m"],
  );
  const StartTime = new Date((now - 300) * 1_000);
  const EndTime = new Date((now + 120) * 1_000);
  const MetricStat = { Metric: { Namespace: "js", MetricName: "m" }, Period: 60, Stat: "Sum" };
  const MetricDataQueries = [
    { Id: "m", MetricStat, ReturnData: false },
    { Id: "half", Expression: "m / 2" },
  ];
  const data = await cloudwatch.send(new GetMetricDataCommand({ StartTime, EndTime, MetricDataQueries }));
  assert.deepEqual(data.MetricDataResults?.[0]?.Values, [2]);
  const alarm = {
    AlarmName: "js",
    Namespace: "js",
    MetricName: "m",
    Statistic: "Sum" as const,
    Period: 60,
    EvaluationPeriods: 1,
  };
  await cloudwatch.send(
    new PutMetricAlarmCommand({ ...alarm, Threshold: 1, ComparisonOperator: "GreaterThanThreshold" }),
  );
  assert.equal((await cloudwatch.send(new DescribeAlarmsCommand())).MetricAlarms?.[0]?.AlarmName, "js");
}

async function liveTail(): Promise<void> {
  const logGroupName = "/aws/sagemaker/TrainingJobs";
  const logGroupIdentifiers = [`arn:aws:logs:${region}:${caller.Account}:log-group:${logGroupName}`];
  // "streaming-" before an address has no room: the SDK's own switch leaves it away.
  const tailing = new CloudWatchLogsClient({ disableHostPrefix: true });
  const { responseStream } = await tailing.send(
    new StartLiveTailCommand({ logGroupIdentifiers, logEventFilterPattern: "hello" }),
  );
  const seen: (string | undefined)[] = [];
  for await (const event of responseStream ?? []) {
    if (event.sessionStart) {
      const logEvents = [{ timestamp: Date.now(), message: "hello from here" }];
      await logs.send(
        new PutLogEventsCommand({ logGroupName, logStreamName: `${job}/${await firstStream()}`, logEvents }),
      );
    }
    seen.push(...(event.sessionUpdate?.sessionResults ?? []).map(({ message }) => message));
    if (seen.length > 0) break;
  }
  assert.deepEqual(seen, ["hello from here"]);
}

async function firstStream(): Promise<string> {
  const logGroupName = "/aws/sagemaker/TrainingJobs";
  for await (const { events = [] } of paginateFilterLogEvents({ client: logs }, { logGroupName, limit: 1 }))
    for (const { logStreamName = "" } of events) return logStreamName.slice(job.length + 1);
  throw new Error("there is no line");
}

const done = (part: string): void => void process.stdout.write(`done ${part}\n`);
await identities();
done("identities");
await objects();
done("objects");
const model = await training();
done("training");
await hosting(model);
done("hosting");
await linesAndQueries();
await metricsAndAlarms();
done("logs and metrics");
await liveTail();
done("live tail");
process.exit(0);
