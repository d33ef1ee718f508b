// The AWS SDK for JavaScript against our protocols, joined at the SDK's own request handler: no socket in between.
import { Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { CloudWatchClient, ListMetricsCommand, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient, StartLiveTailCommand } from "@aws-sdk/client-cloudwatch-logs";
import { GetRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { CreateTrainingJobCommand, DescribeModelCommand, SageMakerClient } from "@aws-sdk/client-sagemaker";
import {
  InvokeEndpointCommand,
  InvokeEndpointWithResponseStreamCommand,
  SageMakerRuntimeClient,
} from "@aws-sdk/client-sagemaker-runtime";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { HttpResponse, type HttpRequest } from "@smithy/core/protocols";
import { expect, test } from "vitest";
import { AwsError } from "../lib/aws-error.ts";
import { createModels } from "../models/index.ts";
import { createRouter } from "./index.ts";

type Handler = (operation: string, input: unknown) => unknown;

const router = createRouter(createModels());
const requestId = "request-1";

async function bodyOf(body: unknown): Promise<Buffer> {
  if (body === undefined || body === null) return Buffer.alloc(0);
  if (typeof body === "string") return Buffer.from(body, "utf8");
  return body instanceof Uint8Array ? Buffer.from(body) : buffer(body as Readable);
}

/** Settings for any SDK client: its requests go through routing, parsing, the handler and serialising, and back. */
function joinedTo(handler: Handler) {
  const answer = async (request: HttpRequest) => {
    const query = Object.entries(request.query ?? {}).flatMap(([name, value]) =>
      [value].flat().map((each) => `${encodeURIComponent(name)}=${encodeURIComponent(each ?? "")}`),
    );
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    const body = await bodyOf(request.body);
    const route = router.route({
      method: request.method,
      rawPath: request.path,
      rawQuery: query.join("&"),
      headers,
      body,
    });
    try {
      if (!route.operation) throw route.error;
      const output = handler(route.operation.name, route.protocol.parse(route.operation, route.request));
      return route.protocol.serialize(route.operation, output, requestId);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return route.protocol.serializeError(route.operation, error, requestId);
    }
  };
  return {
    region: "us-east-1",
    endpoint: "http://salvia.test",
    maxAttempts: 1,
    credentials: { accessKeyId: "AKID", secretAccessKey: "secret" },
    requestHandler: {
      handle: async (request: HttpRequest) => {
        const { status, headers, body } = await answer(request);
        const sent = body instanceof Readable ? body : Readable.from(body === undefined ? [] : [Buffer.from(body)]);
        return { response: new HttpResponse({ statusCode: status, headers, body: sent }) };
      },
    },
  };
}

function thrown(error: AwsError): Handler {
  return () => {
    throw error;
  };
}

test("SageMaker: a training job's request arrives typed, a model's description comes back typed", async () => {
  const seen: unknown[] = [];
  const CreationTime = new Date("2026-11-22T10:00:00.123Z");
  const client = new SageMakerClient(
    joinedTo((name, input) => {
      seen.push(name, input);
      if (name === "CreateTrainingJob") return { TrainingJobArn: "arn:job" };
      return { ModelName: "m", ModelArn: "arn:m", CreationTime, ours: "never sent", Containers: undefined };
    }),
  );
  const job = {
    TrainingJobName: "job-1",
    RoleArn: "arn:aws:iam::000000000000:role/r",
    AlgorithmSpecification: { TrainingInputMode: "File" as const, TrainingImage: "kmeans:1" },
    HyperParameters: { k: "10", constructor: "x" },
    OutputDataConfig: { S3OutputPath: "s3://b/o" },
    ResourceConfig: { InstanceCount: 1, InstanceType: "ml.m5.large" as const, VolumeSizeInGB: 10 },
    StoppingCondition: { MaxRuntimeInSeconds: 3600 },
  };
  expect((await client.send(new CreateTrainingJobCommand(job))).TrainingJobArn).toBe("arn:job");
  expect(seen).toEqual(["CreateTrainingJob", job]);

  const described = await client.send(new DescribeModelCommand({ ModelName: "m" }));
  expect(described).toMatchObject({ ModelName: "m", ModelArn: "arn:m", CreationTime });
  expect(described).not.toHaveProperty("ours");
  expect(described.$metadata).toMatchObject({ httpStatusCode: 200, requestId });
});

test("SageMaker: errors arrive with their name, message and status, modelled or not", async () => {
  const message = 'Could not find model "arn".';
  const unmodelled = new SageMakerClient(joinedTo(thrown(new AwsError("ValidationException", message))));
  await expect(unmodelled.send(new DescribeModelCommand({ ModelName: "m" }))).rejects.toMatchObject({
    name: "ValidationException",
    message,
    $metadata: { httpStatusCode: 400, requestId },
  });
  const modelled = new SageMakerClient(joinedTo(thrown(new AwsError("ResourceLimitExceeded", "Too many."))));
  await expect(modelled.send(new DescribeModelCommand({ ModelName: "m" }))).rejects.toMatchObject({
    name: "ResourceLimitExceeded",
    message: "Too many.",
  });
  const missing = new SageMakerClient(joinedTo(thrown(new AwsError("NotImplementedException", "DescribeModel"))));
  await expect(missing.send(new DescribeModelCommand({ ModelName: "m" }))).rejects.toMatchObject({
    name: "NotImplementedException",
    $metadata: { httpStatusCode: 501 },
  });
});

test("SageMaker Runtime: bytes, headers and error status travel both ways", async () => {
  const client = new SageMakerRuntimeClient(
    joinedTo((_name, input) => {
      expect(input).toMatchObject({ EndpointName: "e", ContentType: "text/csv", TargetVariant: "a" });
      return {
        Body: (input as { Body: Uint8Array }).Body,
        ContentType: "application/json",
        InvokedProductionVariant: "a",
      };
    }),
  );
  const sent = new InvokeEndpointCommand({
    EndpointName: "e",
    ContentType: "text/csv",
    TargetVariant: "a",
    Body: "1,2",
  });
  const answered = await client.send(sent);
  expect(Buffer.from(answered.Body).toString()).toBe("1,2");
  expect(answered).toMatchObject({ ContentType: "application/json", InvokedProductionVariant: "a" });

  const fields = { OriginalStatusCode: 500, OriginalMessage: "boom", LogStreamArn: "arn" };
  const failing = new SageMakerRuntimeClient(joinedTo(thrown(new AwsError("ModelError", "Received 500", { fields }))));
  await expect(failing.send(sent)).rejects.toMatchObject({
    name: "ModelError",
    OriginalStatusCode: 500,
    OriginalMessage: "boom",
    $metadata: { httpStatusCode: 424 },
  });
});

test("SageMaker Runtime: a response stream arrives part by part, and an error ends it", async () => {
  async function* parts() {
    yield { PayloadPart: { Bytes: Buffer.from("one") } };
    yield { PayloadPart: { Bytes: Buffer.from("two") } };
    throw new AwsError("ModelStreamError", "The model stopped.", {
      fields: { ErrorCode: "ModelInvocationTimeExceeded" },
    });
  }
  const client = new SageMakerRuntimeClient(joinedTo(() => ({ Body: parts(), ContentType: "text/plain" })));
  const answered = await client.send(new InvokeEndpointWithResponseStreamCommand({ EndpointName: "e", Body: "x" }));
  const seen: string[] = [];
  const reading = (async () => {
    for await (const event of answered.Body ?? []) seen.push(Buffer.from(event.PayloadPart?.Bytes ?? []).toString());
  })();
  await expect(reading).rejects.toMatchObject({ name: "ModelStreamError", ErrorCode: "ModelInvocationTimeExceeded" });
  expect(seen).toEqual(["one", "two"]);
  expect(answered.ContentType).toBe("text/plain");
});

test("CloudWatch Logs: a live tail over a JSON event stream", async () => {
  async function* events() {
    yield { sessionStart: { sessionId: "s" } };
    yield { sessionUpdate: { sessionResults: [{ message: "hello", timestamp: 1 }] } };
  }
  const client = new CloudWatchLogsClient(joinedTo(() => ({ responseStream: events() })));
  const answered = await client.send(new StartLiveTailCommand({ logGroupIdentifiers: ["arn:g"] }));
  const seen = await Array.fromAsync(answered.responseStream ?? []);
  expect(seen).toMatchObject([
    { sessionStart: { sessionId: "s" } },
    { sessionUpdate: { sessionResults: [{ message: "hello", timestamp: 1 }] } },
  ]);
});

test("CloudWatch: metric data, compressed or not, and dates both ways", async () => {
  const seen: unknown[] = [];
  const client = new CloudWatchClient(
    joinedTo((name, input) => {
      seen.push(input);
      return name === "ListMetrics" ? { Metrics: [{ Namespace: "N", MetricName: "m", Dimensions: [] }] } : undefined;
    }),
  );
  const Timestamp = new Date("2026-01-02T03:04:05.678Z");
  const datum = (MetricName: string) => ({ MetricName, Timestamp, Value: 1.5, Unit: "Count" as const });
  await client.send(new PutMetricDataCommand({ Namespace: "N", MetricData: [datum("a")] }));
  const long = "m".repeat(200);
  await client.send(
    new PutMetricDataCommand({ Namespace: "N", MetricData: Array.from({ length: 200 }, () => datum(long)) }),
  );
  expect(seen[0]).toEqual({ Namespace: "N", MetricData: [datum("a")] });
  expect((seen[1] as { MetricData: unknown[] }).MetricData).toHaveLength(200);
  expect((await client.send(new ListMetricsCommand({}))).Metrics).toEqual([
    { Namespace: "N", MetricName: "m", Dimensions: [] },
  ]);
});

test("STS and IAM: forms in, XML out, XML errors", async () => {
  const sts = new STSClient(joinedTo(() => ({ Account: "000000000000", Arn: "arn:<&>", UserId: "u" })));
  expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({ Account: "000000000000", Arn: "arn:<&>" });
  const CreateDate = new Date("2026-01-01T00:00:00.000Z");
  const Role = { Path: "/", RoleName: "r", RoleId: "i", Arn: "a", CreateDate, Tags: [{ Key: "k", Value: "v" }] };
  const iam = new IAMClient(joinedTo(() => ({ Role })));
  expect((await iam.send(new GetRoleCommand({ RoleName: "r" }))).Role).toEqual(Role);
  const missing = new AwsError("NoSuchEntity", "The role with name r cannot be found.");
  const failing = new IAMClient(joinedTo(thrown(missing)));
  await expect(failing.send(new GetRoleCommand({ RoleName: "r" }))).rejects.toMatchObject({
    name: "NoSuchEntityException",
    message: missing.message,
    $metadata: { httpStatusCode: 404, requestId },
  });
});

const s3Settings = { forcePathStyle: true, requestChecksumCalculation: "WHEN_REQUIRED" } as const;

test("S3: objects, metadata and odd keys go in and out unchanged", async () => {
  const key = "dir//x/./dot/../up ü+&%25.txt";
  const LastModified = new Date("2026-01-02T03:04:05.000Z");
  const client = new S3Client({
    ...s3Settings,
    ...joinedTo((name, input) => {
      const { Key, Metadata } = input as { Key: string; Metadata?: object };
      expect(Key).toBe(key);
      if (name === "PutObject") expect(Metadata).toEqual(Object.assign(Object.create(null), { note: "a" }));
      if (name === "PutObject") return { ETag: '"e"' };
      const head = { ETag: '"e"', LastModified, ContentLength: 5, Metadata: { note: "a" }, ContentType: "text/plain" };
      return name === "HeadObject" ? head : { ...head, Body: Readable.from([Buffer.from("he"), Buffer.from("llo")]) };
    }),
  });
  const at = { Bucket: "b", Key: key };
  expect(await client.send(new PutObjectCommand({ ...at, Body: "hello", Metadata: { note: "a" } }))).toMatchObject({
    ETag: '"e"',
  });
  const expected = { LastModified, ContentLength: 5, Metadata: { note: "a" }, ContentType: "text/plain" };
  expect(await client.send(new HeadObjectCommand(at))).toMatchObject(expected);
  const got = await client.send(new GetObjectCommand(at));
  expect(got).toMatchObject(expected);
  expect(await text(got.Body as Readable)).toBe("hello");
});

test("S3: a put's body reaches the handler as a stream", async () => {
  const bodies: Promise<string>[] = [];
  const client = new S3Client({
    ...s3Settings,
    ...joinedTo((_name, input) => {
      bodies.push(text((input as { Body: Readable }).Body));
      return {};
    }),
  });
  await client.send(new PutObjectCommand({ Bucket: "b", Key: "k", Body: "hello" }));
  expect(await Promise.all(bodies)).toEqual(["hello"]);
});

test("S3: XML bodies and answers, attributes and flattened lists among them", async () => {
  const seen = new Map<string, unknown>();
  const answers = new Map<string, unknown>([
    [
      "ListObjectsV2",
      { Name: "b", KeyCount: 2, IsTruncated: false, Contents: [{ Key: "a<b", Size: 1 }, { Key: "c\u0001" }] },
    ],
    ["CompleteMultipartUpload", { ETag: '"x-2"', Location: "l" }],
    ["CopyObject", { CopyObjectResult: { ETag: '"y"' } }],
    ["DeleteObjects", { Deleted: [{ Key: "a" }], Errors: [{ Key: "b", Code: "AccessDenied" }] }],
    ["GetBucketLocation", { LocationConstraint: "eu-west-1" }],
  ]);
  const client = new S3Client({
    ...s3Settings,
    ...joinedTo((name, input) => {
      seen.set(name, input);
      return answers.get(name);
    }),
  });
  const listed = await client.send(new ListObjectsV2Command({ Bucket: "b", Prefix: "p/", MaxKeys: 7 }));
  expect(listed).toMatchObject({ KeyCount: 2, IsTruncated: false, Contents: [{ Key: "a<b", Size: 1 }, {}] });
  expect(seen.get("ListObjectsV2")).toEqual({ Bucket: "b", Prefix: "p/", MaxKeys: 7 });

  const Parts = [
    { PartNumber: 1, ETag: '"1"' },
    { PartNumber: 2, ETag: '"2"' },
  ];
  const completing = { Bucket: "b", Key: "k", UploadId: "u", MultipartUpload: { Parts } };
  expect(await client.send(new CompleteMultipartUploadCommand(completing))).toMatchObject({ ETag: '"x-2"' });
  expect(seen.get("CompleteMultipartUpload")).toEqual(completing);

  const copying = { Bucket: "b", Key: "k", CopySource: "a/b" };
  expect((await client.send(new CopyObjectCommand(copying))).CopyObjectResult).toEqual({ ETag: '"y"' });
  const Delete = { Objects: [{ Key: "a" }, { Key: " b & <c> " }], Quiet: false };
  const deleted = await client.send(new DeleteObjectsCommand({ Bucket: "b", Delete }));
  expect(deleted).toMatchObject({ Deleted: [{ Key: "a" }], Errors: [{ Key: "b", Code: "AccessDenied" }] });
  expect(seen.get("DeleteObjects")).toMatchObject({ Delete });
  expect((await client.send(new GetBucketLocationCommand({ Bucket: "b" }))).LocationConstraint).toBe("eu-west-1");
});

test("S3: errors carry code, fields and status, and HEAD has no body", async () => {
  const error = new AwsError("NoSuchKey", "The specified key does not exist.", { fields: { Key: "k" } });
  const client = new S3Client({ ...s3Settings, ...joinedTo(thrown(error)) });
  const at = { Bucket: "b", Key: "k" };
  await expect(client.send(new GetObjectCommand(at))).rejects.toMatchObject({
    name: "NoSuchKey",
    Key: "k",
    message: error.message,
    $metadata: { httpStatusCode: 404, requestId },
  });
  await expect(client.send(new HeadObjectCommand(at))).rejects.toMatchObject({ name: "NotFound" });
});
