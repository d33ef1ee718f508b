// A furnished installation for tests: one or more of everything that can be there, and requests that work on it. Running it
// again puts back what a test took away.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  identityAndBucketFurniture,
  identityAndBucketRecipes,
  policyArn,
} from "./furnish-identity-and-buckets.fake.ts";
import { alarmRecipes, queryRecipes } from "./furnish-alarms.fake.ts";
import { furnishImages, imageRecipes, knownOfImages } from "./furnish-images.fake.ts";
import { jobKinds, jobRecipes, knownOfJobs } from "./furnish-jobs.fake.ts";
import type { OperationModel } from "./models/index.ts";
import { FakeCallError, fakeAccount, fakeRegion, type FakeSalvia } from "./salvia.fake.ts";

type Members = Readonly<Record<string, unknown>>;

const arn = (service: string, rest: string): string => `arn:aws:${service}:${fakeRegion}:${fakeAccount}:${rest}`;

const roleArn = `arn:aws:iam::${fakeAccount}:role/SalviaExecutionRole`;
const image = "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1";
const modelData = "s3://bucket/job/output/model.tar.gz";
const policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}';
const trust =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}';

const oddKeys = [
  "plain",
  "a/b/c",
  "a//b",
  "/",
  "../up",
  "ü & <é>\"'+%2F ?#",
  "\u{1F600}",
  "k".repeat(1_024),
  ".",
  "a\nb",
];

const variant = {
  VariantName: "AllTraffic",
  ModelName: "model",
  InstanceType: "ml.m5.xlarge",
  InitialInstanceCount: 1,
};
const channel = {
  ChannelName: "train",
  DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: "s3://bucket/a" } },
};
const assembled = { Namespace: "space", MetricName: "metric", Dimensions: [{ Name: "Host", Value: "algo-1" }] };
const hour = { StartTime: new Date("2025-12-31T23:30:00Z"), EndTime: new Date("2026-01-01T00:30:00Z") };
const atFirst = new Date("2026-01-01T00:00:00Z");

/** Stands for what only a running server knows. */
const madeByServer = "made by the server";
const upload = { Bucket: "bucket", Key: "large", UploadId: madeByServer };

/** A request per operation that goes deep into its handler; tests send it with something changed. */
const recipes: Readonly<Record<string, Members>> = {
  ...identityAndBucketRecipes,
  ...imageRecipes,
  ...jobRecipes(madeByServer),
  "sagemaker.CreateTrainingJob": {
    TrainingJobName: "job",
    AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: "File" },
    RoleArn: roleArn,
    HyperParameters: { k: "10", feature_dim: "784" },
    InputDataConfig: [channel],
    OutputDataConfig: { S3OutputPath: "s3://bucket/output" },
    ResourceConfig: { InstanceCount: 1, InstanceType: "ml.c4.xlarge", VolumeSizeInGB: 50 },
    StoppingCondition: { MaxRuntimeInSeconds: 3_600 },
    Tags: [{ Key: "team", Value: "blue" }],
  },
  "sagemaker.CreateModel": {
    ModelName: "model",
    ExecutionRoleArn: roleArn,
    PrimaryContainer: { Image: image, ModelDataUrl: modelData, Environment: { A: "b" } },
  },
  "sagemaker.CreateEndpointConfig": { EndpointConfigName: "config", ProductionVariants: [variant] },
  "sagemaker.CreateEndpoint": { EndpointName: "endpoint", EndpointConfigName: "config" },
  "sagemaker.UpdateEndpoint": { EndpointName: "endpoint", EndpointConfigName: "config" },
  "sagemaker.UpdateEndpointWeightsAndCapacities": {
    EndpointName: "endpoint",
    DesiredWeightsAndCapacities: [{ VariantName: "AllTraffic", DesiredWeight: 2, DesiredInstanceCount: 1 }],
  },
  "sagemaker.AddTags": { ResourceArn: arn("sagemaker", "model/model"), Tags: [{ Key: "a", Value: "b" }] },
  "sagemaker.DeleteTags": { ResourceArn: arn("sagemaker", "model/model"), TagKeys: ["a"] },
  "sagemaker.UpdateTrainingJob": { TrainingJobName: madeByServer, ProfilerConfig: { DisableProfiler: true } },
  "sagemaker.StopTrainingJob": { TrainingJobName: madeByServer },
  "sagemaker.Search": {
    Resource: "TrainingJob",
    SearchExpression: {
      Filters: [{ Name: "TrainingJobName", Operator: "Contains", Value: "j" }],
      SubExpressions: [{ Filters: [{ Name: "Tags.team", Operator: "Equals", Value: "blue" }], Operator: "Or" }],
    },
    SortBy: "CreationTime",
  },
  "sagemaker-runtime.InvokeEndpoint": { EndpointName: "endpoint", Body: Buffer.from("1,2"), ContentType: "text/csv" },
  "sagemaker-runtime.InvokeEndpointWithResponseStream": { EndpointName: "endpoint", Body: Buffer.from("1,2") },
  "s3.DeleteBucket": { Bucket: "spare-bucket" },
  "s3.CreateBucket": { Bucket: "new-bucket", CreateBucketConfiguration: { LocationConstraint: fakeRegion } },
  "s3.PutObject": { Bucket: "bucket", Key: "plain", Body: Buffer.from("text"), ContentType: "text/plain" },
  "s3.GetObject": { Bucket: "bucket", Key: "plain", Range: "bytes=1-2" },
  "s3.HeadObject": { Bucket: "bucket", Key: "plain" },
  "s3.CopyObject": { Bucket: "bucket", Key: "copy", CopySource: "bucket/plain" },
  "s3.ListObjectsV2": { Bucket: "bucket", Prefix: "a", Delimiter: "/", MaxKeys: 1 },
  "s3.ListObjects": { Bucket: "bucket", Delimiter: "/", MaxKeys: 1, EncodingType: "url" },
  "s3.DeleteObjects": { Bucket: "bucket", Delete: { Objects: [{ Key: "copy" }, { Key: "a//b" }] } },
  "s3.GetObjectAttributes": { Bucket: "bucket", Key: "plain", ObjectAttributes: ["ETag", "ObjectSize", "Checksum"] },
  "s3.PutObjectTagging": { Bucket: "bucket", Key: "plain", Tagging: { TagSet: [{ Key: "a", Value: "b" }] } },
  "s3.CompleteMultipartUpload": {
    ...upload,
    MultipartUpload: { Parts: [{ PartNumber: 1, ETag: '"f4c9385f1902f7334b00b9b4ecd164de"' }] },
  },
  "s3.UploadPart": { ...upload, PartNumber: 1, Body: Buffer.from("part") },
  "s3.UploadPartCopy": {
    ...upload,
    PartNumber: 2,
    CopySource: "bucket/plain",
    CopySourceRange: "bytes=0-1",
  },
  "s3.CreateMultipartUpload": { Bucket: "bucket", Key: "large" },
  "s3.ListParts": upload,
  "s3.AbortMultipartUpload": upload,
  "logs.TagResource": { resourceArn: arn("logs", "log-group:/group"), tags: { a: "b" } },
  "logs.UntagResource": { resourceArn: arn("logs", "log-group:/group"), tagKeys: ["a"] },
  "logs.ListTagsForResource": { resourceArn: arn("logs", "log-group:/group") },
  "logs.CreateLogGroup": { logGroupName: "/group" },
  "logs.CreateLogStream": { logGroupName: "/group", logStreamName: "stream" },
  "logs.DescribeLogStreams": { logGroupName: "/group", limit: 1 },
  "logs.DeleteLogStream": { logGroupName: "/group", logStreamName: "stream" },
  "logs.PutLogEvents": {
    logGroupName: "/group",
    logStreamName: "stream",
    logEvents: [{ timestamp: atFirst.getTime(), message: '{"a": [1, "b"]}' }],
  },
  "logs.GetLogEvents": { logGroupName: "/group", logStreamName: "stream", limit: 1, startFromHead: true },
  "logs.FilterLogEvents": { logGroupName: "/group", filterPattern: '{ $.a[0] = 1 || $.b = "x*" }', limit: 1 },
  "logs.PutRetentionPolicy": { logGroupName: "/group", retentionInDays: 7 },
  "cloudwatch.PutMetricData": {
    Namespace: "space",
    MetricData: [
      { MetricName: "metric", Dimensions: assembled.Dimensions, Timestamp: atFirst, Value: 1.5, Unit: "Seconds" },
      { MetricName: "many", Values: [1, 2], Counts: [3, 4], StorageResolution: 1 },
      { MetricName: "set", StatisticValues: { SampleCount: 2, Sum: 3, Minimum: 1, Maximum: 2 } },
    ],
  },
  "cloudwatch.GetMetricStatistics": {
    ...assembled,
    ...hour,
    Period: 60,
    Statistics: ["Sum"],
    ExtendedStatistics: ["p90"],
  },
  "cloudwatch.GetMetricData": {
    ...hour,
    MetricDataQueries: [{ Id: "m1", MetricStat: { Metric: assembled, Period: 60, Stat: "Average" } }],
  },
  ...alarmRecipes,
  ...queryRecipes,
  "cloudwatch.ListMetrics": { Namespace: "space", Dimensions: [{ Name: "Host" }] },
  "iam.CreateRole": { RoleName: "role", AssumeRolePolicyDocument: trust, Path: "/team/" },
  "iam.PutRolePolicy": { RoleName: "role", PolicyName: "policy", PolicyDocument: policy },
  "sts.AssumeRole": { RoleArn: roleArn, RoleSessionName: "session", DurationSeconds: 900 },
};

/** What members of these names (lower-cased) may hold so that a request finds something. */
const knownMembers: Readonly<Record<string, readonly unknown[]>> = {
  ...knownOfImages,
  ...knownOfJobs,
  bucket: ["bucket", "empty-bucket"],
  key: oddKeys,
  copysource: ["bucket/plain", "/bucket/a%2F%2Fb", "bucket/%F0%9F%98%80?versionId=null", "bucket/"],
  prefix: ["a", "a/", "k", ""],
  delimiter: ["/", "k", ""],
  marker: oddKeys,
  startafter: oddKeys,
  modelname: ["model"],
  endpointconfigname: ["config"],
  endpointname: ["endpoint"],
  trainingjobname: ["job"],
  targetvariant: ["AllTraffic"],
  variantname: ["AllTraffic"],
  resourcearn: ["model/model", "endpoint/endpoint", "training-job/job"].map((rest) => arn("sagemaker", rest)),
  rolearn: [roleArn],
  executionrolearn: [roleArn],
  rolename: ["SalviaExecutionRole", "role"],
  policyname: ["policy"],
  username: ["user"],
  groupname: ["group"],
  instanceprofilename: ["profile"],
  policyarn: [policyArn, "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"],
  assumerolepolicydocument: [trust, "{}", "[]", '{"Statement":{"Effect":"Allow"}}'],
  policydocument: [policy, "{}", "null"],
  trainingimage: [image],
  image: [image],
  modeldataurl: [modelData, "s3://bucket/none", "s3://bucket/"],
  s3uri: ["s3://bucket/a", "s3://bucket/none", "s3://no-such-bucket/a", modelData],
  s3outputpath: ["s3://bucket/output", "s3://bucket"],
  hyperparameters: [{ k: "10", feature_dim: "784" }, { k: "x" }, { k: "-1", feature_dim: "1e9" }],
  loggroupname: ["/group", "/aws/sagemaker/TrainingJobs"],
  loggroupidentifier: ["/group", arn("logs", "log-group:/group"), arn("logs", "log-group:/group:*")],
  logstreamname: ["stream"],
  logstreamnameprefix: ["s", "job/"],
  filterpattern: ["a", '"a b" -c', "?a ?b", "{ $.a = 1 }", "{ ($.a[0] > 1e3) && ($.b NOT EXISTS) }", "%[a-z]+%", "{ $"],
  namespace: ["space", "AWS/SageMaker", "/aws/sagemaker/TrainingJobs"],
  metricname: ["metric", "many", "set", "Invocations"],
  stat: ["Average", "p99.9", "tm90", "TM(10%:90%)", "PR(:10)", "WM(1:2)", "IQM", "none"],
  period: [1, 60, 86_400],
  range: ["bytes=0-", "bytes=-1", "bytes=1-2", "bytes=9-", "bytes=2-1", "bytes=0-0,2-3", "lines=1"],
};

export interface Furniture {
  /** What members may hold so that a request finds something, by lower-cased name. */
  readonly known: ReadonlyMap<string, readonly unknown[]>;
  /** A request that goes deep into the operation's handler. */
  recipe(operation: OperationModel): Members | undefined;
  /** Makes what is missing. */
  furnish(): Promise<void>;
  /** Tasks that were started do their work, and time passes. */
  work(): Promise<void>;
  close(): Promise<void>;
}

/** An instance that answers with the body that it got. */
async function startInstance(): Promise<{ readonly address: string; close(): Promise<void> }> {
  const server = createServer((request, response) => void request.pipe(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { address: `http://127.0.0.1:${port}`, close };
}

/** A refusal is fine: most of it is there already. */
async function ensure(salvia: FakeSalvia, recipe: string, changed: Members = {}): Promise<Members> {
  const [service = "", operation = ""] = recipe.split(".");
  const model = salvia.models.names.find((name) => name === service);
  if (!model) throw new Error(`no service ${service}`);
  try {
    return await salvia.call(model, operation, { ...recipes[recipe], ...changed });
  } catch (error) {
    if (error instanceof FakeCallError && error.answer.status < 500) return {};
    throw error;
  }
}

/** The id of an upload under way, with one part. */
async function furnishObjects(salvia: FakeSalvia): Promise<string> {
  for (const Bucket of ["bucket", "empty-bucket", "spare-bucket"]) await ensure(salvia, "s3.CreateBucket", { Bucket });
  // One with access control lists.
  await ensure(salvia, "s3.CreateBucket", { Bucket: "listed-bucket", ObjectOwnership: "ObjectWriter" });
  await ensure(salvia, "s3.PutObject", { Bucket: "listed-bucket", Key: "plain" });
  const { Contents = [] } = await salvia.call("s3", "ListObjectsV2", { Bucket: "bucket" });
  const present = new Set((Contents as readonly { readonly Key: string }[]).map(({ Key }) => Key));
  const missing = [...oddKeys, "job/output/model.tar.gz"].filter((Key) => !present.has(Key));
  for (const Key of missing) await ensure(salvia, "s3.PutObject", { Key });
  const { UploadId } = await salvia.call("s3", "CreateMultipartUpload", { Bucket: "bucket", Key: "large" });
  await ensure(salvia, "s3.UploadPart", { UploadId });
  return String(UploadId);
}

/** The name of a job that goes on until it is stopped; the one before is. */
async function furnishSagemaker(salvia: FakeSalvia, endless: string): Promise<string> {
  if (endless !== "") await ensure(salvia, "sagemaker.StopTrainingJob", { TrainingJobName: endless });
  const next = `endless-${Number(endless.split("-")[1] ?? 0) + 1}`;
  for (const TrainingJobName of ["job", next]) await ensure(salvia, "sagemaker.CreateTrainingJob", { TrainingJobName });
  for (const name of ["CreateModel", "CreateEndpointConfig", "CreateEndpoint"])
    await ensure(salvia, `sagemaker.${name}`);
  for (const [create, stop, member] of jobKinds) {
    if (endless !== "") await ensure(salvia, stop, { [member]: endless });
    for (const name of ["job", next]) await ensure(salvia, create, { [member]: name });
  }
  return next;
}

async function furnishOthers(salvia: FakeSalvia): Promise<void> {
  for (const name of ["CreateLogGroup", "CreateLogStream", "PutLogEvents"]) await ensure(salvia, `logs.${name}`);
  for (const name of ["PutMetricData", "PutMetricAlarm"]) await ensure(salvia, `cloudwatch.${name}`);
  for (const name of ["CreateRole", "PutRolePolicy"]) await ensure(salvia, `iam.${name}`);
  for (const PolicyName of ["policy-spare", "policy-versions"])
    await ensure(salvia, "iam.CreatePolicy", { PolicyName });
  for (const [name, members] of identityAndBucketFurniture) await ensure(salvia, name, members);
}

/** Every new task does its part: jobs end well where they may, models come to serve. */
async function reportAll({ compute, clock }: FakeSalvia, address: string, reported: Set<string>): Promise<void> {
  const at = clock.now().getTime();
  for await (const key of compute.list()) {
    if (reported.has(key) || (await compute.inspect(key))?.state === "ended") continue;
    reported.add(key);
    if (compute.spec(key).purpose === "hosting") {
      await compute.report(key, [{ type: "serving", at, ready: true, address }]);
      continue;
    }
    const lines = [{ at, text: "#quality_metric: host=algo-1, test msd <loss>=6.25" }];
    await compute.report(key, [
      { type: "phase", at, phase: "running" },
      { type: "output", lines },
    ]);
    const names = ["TRAINING_JOB_NAME", "TRANSFORM_JOB_NAME", "PROCESSING_JOB_NAME"];
    if (!names.some((name) => compute.spec(key).environment[name]?.startsWith("endless-")))
      await compute.finish(key, { how: "exited", exitCode: 0, startedAt: at, endedAt: at });
  }
}

export async function furnishSalvia(salvia: FakeSalvia): Promise<Furniture> {
  const known = new Map(Object.entries(knownMembers));
  const instance = await startInstance();
  const reported = new Set<string>();
  const made = {
    UploadId: "",
    uploadId: "",
    TrainingJobName: "",
    TransformJobName: "",
    ProcessingJobName: "",
    queryId: "",
  };
  const recipe: Furniture["recipe"] = ({ service, name }) => {
    const found = recipes[`${service.name}.${name}`];
    const filled = Object.entries(made).filter(([member]) => found?.[member] === madeByServer);
    return found && { ...found, ...Object.fromEntries(filled) };
  };
  const work = async (): Promise<void> => {
    await salvia.settle();
    await reportAll(salvia, instance.address, reported);
    await salvia.clock.advance(60_000);
    await salvia.settle();
  };
  const furnish = async (): Promise<void> => {
    made.UploadId = await furnishObjects(salvia);
    made.uploadId = await furnishImages(salvia);
    known.set("uploadid", [made.UploadId, made.uploadId]);
    made.TrainingJobName = await furnishSagemaker(salvia, made.TrainingJobName);
    made.TransformJobName = made.TrainingJobName;
    made.ProcessingJobName = made.TrainingJobName;
    await furnishOthers(salvia);
    await work();
    // Last, so that it has not run yet.
    const { queryId } = await ensure(salvia, "logs.StartQuery");
    if (typeof queryId === "string") made.queryId = queryId;
  };
  await furnish();
  return { known, recipe, furnish, work, close: () => instance.close() };
}
