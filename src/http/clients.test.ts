// AWS's own clients against listener and pipeline: they sign, serialise and parse; nothing here is ours but the server.
import { CloudWatchClient, ListMetricsCommand } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  GetUserCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
  ListRolesCommand,
  ListRoleTagsCommand,
  PutRolePolicyCommand,
  TagRoleCommand,
  UntagRoleCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
} from "@aws-sdk/client-iam";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { DescribeModelCommand, SageMakerClient } from "@aws-sdk/client-sagemaker";
import { InvokeEndpointCommand, SageMakerRuntimeClient } from "@aws-sdk/client-sagemaker-runtime";
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand, STSClient } from "@aws-sdk/client-sts";
import { Agent } from "node:http";
import type { LookupFunction } from "node:net";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { account, fakeService, startHttp } from "./http.fake.ts";

const trust = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "sagemaker.amazonaws.com" }, Action: "sts:AssumeRole" }],
});
const mayRead = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "s3:Get*", Resource: "*" }],
});

test("SageMaker and its runtime: JSON and REST", async () => {
  const http = await startHttp({
    services: [
      fakeService("sagemaker", {
        DescribeModel: ({ ModelName }: { ModelName: string }) => ({ ModelName, CreationTime: new Date(5_250) }),
      }),
      fakeService("sagemaker-runtime", {
        InvokeEndpoint: (input: { EndpointName: string; ContentType: string; Body: Uint8Array }) => ({
          Body: Buffer.from(`${input.EndpointName} ${input.ContentType} ${Buffer.from(input.Body).toString()}`),
          ContentType: "text/csv",
        }),
      }),
    ],
  });
  const model = await new SageMakerClient(http.client).send(new DescribeModelCommand({ ModelName: "m" }));
  expect([model.ModelName, model.CreationTime?.getTime()]).toEqual(["m", 5_250]);
  const { Body, ContentType } = await new SageMakerRuntimeClient(http.client).send(
    new InvokeEndpointCommand({ EndpointName: "e", ContentType: "text/csv", Body: "1,2" }),
  );
  expect([ContentType, Body?.transformToString()]).toEqual(["text/csv", "e text/csv 1,2"]);
});

test("CloudWatch and its Logs", async () => {
  const http = await startHttp({
    services: [
      fakeService("logs", {
        DescribeLogGroups: () => ({ logGroups: [{ logGroupName: "/aws/sagemaker/TrainingJobs" }] }),
      }),
      fakeService("cloudwatch", { ListMetrics: () => ({ Metrics: [{ Namespace: "n", MetricName: "m" }] }) }),
    ],
  });
  const groups = await new CloudWatchLogsClient(http.client).send(new DescribeLogGroupsCommand({}));
  expect(groups.logGroups?.[0]?.logGroupName).toBe("/aws/sagemaker/TrainingJobs");
  const metrics = await new CloudWatchClient(http.client).send(new ListMetricsCommand({}));
  expect(metrics.Metrics).toEqual([{ Namespace: "n", MetricName: "m" }]);
});

test("S3: bodies as bytes and as streams, keys of all sorts, path style and virtual-hosted", async () => {
  const objects = new Map<string, Buffer>();
  const trailers: unknown[] = [];
  const service = fakeService("s3", {
    PutObject: async ({ Bucket, Key, Body }: { Bucket: string; Key: string; Body: Readable }, ctx) => {
      objects.set(`${Bucket}/${Key}`, await buffer(Body));
      trailers.push(await ctx.http.trailers);
      return { ETag: '"e"' };
    },
    GetObject: async ({ Bucket, Key }: { Bucket: string; Key: string }) => {
      const bytes = objects.get(`${Bucket}/${Key}`) ?? Buffer.alloc(0);
      return { Body: Readable.from([bytes]), ContentLength: bytes.length };
    },
  });
  const http = await startHttp({ services: [service] });
  const pathStyle = new S3Client({ ...http.client, forcePathStyle: true });
  // Browsers know that *.localhost is this machine; not every resolver does.
  const lookup: LookupFunction = (_, options, done) =>
    options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
  const virtualHosted = new S3Client({
    ...http.client,
    endpoint: `http://localhost:${http.port}`,
    requestHandler: { httpAgent: new Agent({ lookup }) },
  });
  const streamed = Buffer.alloc(3_000_000, 7);
  for (const client of [pathStyle, virtualHosted]) {
    for (const Key of ["plain", "ü/é~!*'().txt", "dir//x", "x=y&z;%25.txt", "a+b c"]) {
      const name = { Bucket: "my-bucket", Key };
      await client.send(new PutObjectCommand({ ...name, Body: `body of ${Key}` }));
      expect(objects.get(`my-bucket/${Key}`)?.toString()).toBe(`body of ${Key}`);
      const got = await client.send(new GetObjectCommand(name));
      expect(await got.Body?.transformToString()).toBe(`body of ${Key}`);
    }
    const Body = Readable.from([streamed.subarray(0, 1_000_000), streamed.subarray(1_000_000)]);
    const name = { Bucket: "my-bucket", Key: "streamed" };
    await client.send(new PutObjectCommand({ ...name, Body, ContentLength: streamed.length }));
    expect(objects.get("my-bucket/streamed")?.equals(streamed)).toBe(true);
    expect(trailers.at(-1)).toEqual({ "x-amz-checksum-crc32": expect.any(String) });
  }
});

test("STS: who am I as root, as a role's session, and as a session of root", async () => {
  const http = await startHttp();
  const sts = new STSClient(http.client);
  const { $metadata: _, ...root } = await sts.send(new GetCallerIdentityCommand({}));
  expect(root).toEqual({ UserId: account, Account: account, Arn: `arn:aws:iam::${account}:root` });
  const RoleArn = `arn:aws:iam::${account}:role/SalviaExecutionRole`;
  const assumed = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "me", DurationSeconds: 900 }));
  const own = await sts.send(new GetSessionTokenCommand({}));
  const arnWith = async (made: typeof own.Credentials) => {
    const credentials = {
      accessKeyId: made?.AccessKeyId ?? "",
      secretAccessKey: made?.SecretAccessKey ?? "",
      sessionToken: made?.SessionToken ?? "",
    };
    return (await new STSClient({ ...http.client, credentials }).send(new GetCallerIdentityCommand({}))).Arn;
  };
  expect(await arnWith(assumed.Credentials)).toBe(`arn:aws:sts::${account}:assumed-role/SalviaExecutionRole/me`);
  expect(assumed.AssumedRoleUser?.Arn).toBe(`arn:aws:sts::${account}:assumed-role/SalviaExecutionRole/me`);
  expect(await arnWith(own.Credentials)).toBe(`arn:aws:iam::${account}:root`);
  const without = {
    AccessKeyId: own.Credentials?.AccessKeyId,
    SecretAccessKey: "x",
    SessionToken: "",
    Expiration: undefined,
  };
  await expect(arnWith(without)).rejects.toMatchObject({ name: "InvalidClientTokenId" });
  const nobody = new AssumeRoleCommand({ RoleArn: `${RoleArn}2`, RoleSessionName: "me" });
  await expect(sts.send(nobody)).rejects.toMatchObject({ name: "AccessDenied" });
  const tooLong = new AssumeRoleCommand({ RoleArn, RoleSessionName: "me", DurationSeconds: 43_201 });
  await expect(sts.send(tooLong)).rejects.toMatchObject({ name: "ValidationError" });
});

test("IAM: the life of a role that a script prepares", async () => {
  const http = await startHttp();
  const iam = new IAMClient(http.client);
  const RoleName = "Trainer";
  const create = new CreateRoleCommand({ RoleName, Path: "/ml/", AssumeRolePolicyDocument: trust, Description: "d" });
  const { Role } = await iam.send(create);
  expect(Role?.Arn).toBe(`arn:aws:iam::${account}:role/ml/Trainer`);
  await expect(iam.send(create)).rejects.toMatchObject({
    name: "EntityAlreadyExistsException",
    message: "Role with name Trainer already exists.",
  });
  await iam.send(
    new TagRoleCommand({
      RoleName,
      Tags: [
        { Key: "a", Value: "1" },
        { Key: "b", Value: "2" },
      ],
    }),
  );
  await iam.send(new UntagRoleCommand({ RoleName, TagKeys: ["a"] }));
  expect((await iam.send(new ListRoleTagsCommand({ RoleName }))).Tags).toEqual([{ Key: "b", Value: "2" }]);
  await iam.send(new UpdateRoleCommand({ RoleName, MaxSessionDuration: 7_200 }));
  await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: trust.replace("sagemaker", "lambda") }));
  const { Role: got } = await iam.send(new GetRoleCommand({ RoleName: "trainer" }));
  expect(got).toMatchObject({ RoleName, RoleId: Role?.RoleId, MaxSessionDuration: 7_200, Description: "d" });
  expect(decodeURIComponent(got?.AssumeRolePolicyDocument ?? "")).toBe(trust.replace("sagemaker", "lambda"));

  const PolicyArn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess";
  await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
  await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
  const { AttachedPolicies } = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
  expect(AttachedPolicies).toEqual([{ PolicyName: "AmazonSageMakerFullAccess", PolicyArn }]);
  const PolicyName = "inline";
  const bad = new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: "{" });
  await expect(iam.send(bad)).rejects.toMatchObject({ name: "MalformedPolicyDocumentException" });
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: mayRead }));
  expect((await iam.send(new ListRolePoliciesCommand({ RoleName }))).PolicyNames).toEqual([PolicyName]);
  const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
  expect(decodeURIComponent(PolicyDocument ?? "")).toBe(mayRead);

  const remove = () => iam.send(new DeleteRoleCommand({ RoleName }));
  await expect(remove()).rejects.toMatchObject({ name: "DeleteConflictException" });
  await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
  await expect(remove()).rejects.toMatchObject({ name: "DeleteConflictException" });
  await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
  const session = await http.identity.sessionFor(Role?.Arn ?? "", "s", 900);
  const ours = { ...http.client, credentials: session };
  expect((await new STSClient(ours).send(new GetCallerIdentityCommand({}))).Account).toBe(account);
  await remove();
  await expect(iam.send(new GetRoleCommand({ RoleName }))).rejects.toMatchObject({ name: "NoSuchEntityException" });
  // The sessions of a role end with it.
  const late = new STSClient(ours).send(new GetCallerIdentityCommand({}));
  await expect(late).rejects.toMatchObject({ name: "InvalidClientTokenId" });
});

test("IAM: roles are listed in pages and by path, and root is a user", async () => {
  const http = await startHttp();
  const iam = new IAMClient(http.client);
  for (const name of ["b", "a", "c"]) {
    const Path = name === "c" ? "/team/" : "/";
    await iam.send(new CreateRoleCommand({ RoleName: name, Path, AssumeRolePolicyDocument: trust }));
  }
  const names: (string | undefined)[] = [];
  let Marker: string | undefined;
  do {
    const page = await iam.send(new ListRolesCommand({ MaxItems: 3, Marker }));
    names.push(...(page.Roles ?? []).map((role) => role.RoleName));
    ({ Marker } = page);
  } while (Marker !== undefined);
  expect(names).toEqual(["a", "b", "c", "SalviaExecutionRole"]);
  const team = await iam.send(new ListRolesCommand({ PathPrefix: "/team/" }));
  expect(team.Roles?.map((role) => role.Arn)).toEqual([`arn:aws:iam::${account}:role/team/c`]);
  expect((await iam.send(new GetUserCommand({}))).User?.Arn).toBe(`arn:aws:iam::${account}:root`);
});
