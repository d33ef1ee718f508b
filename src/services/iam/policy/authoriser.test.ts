// Who may do what, told by AWS's clients on a whole server.
import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  DeleteRolePolicyCommand,
  GetRoleCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  DeletePublicAccessBlockCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import {
  CreateTrainingJobCommand,
  DescribeTrainingJobCommand,
  ListTrainingJobsCommand,
  SageMakerClient,
  type CreateTrainingJobCommandInput,
} from "@aws-sdk/client-sagemaker";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { expect, onTestFinished, test } from "vitest";
import { fakeAccount, startFakeSalvia, type FakeSalvia } from "../../../salvia.fake.ts";

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

interface Clients {
  readonly s3: S3Client;
  readonly sagemaker: SageMakerClient;
  readonly iam: IAMClient;
  readonly sts: STSClient;
}

function clientsOf(salvia: FakeSalvia, credentials: Credentials = salvia.client.credentials): Clients {
  const options = { ...salvia.client, credentials };
  return {
    s3: new S3Client(options),
    sagemaker: new SageMakerClient(options),
    iam: new IAMClient(options),
    sts: new STSClient(options),
  };
}

const otherAccount = "111111111111";
const otherRoot = { accessKeyId: "AKIAOTHER00000000000", secretAccessKey: "another-secret-of-forty-characters-00000" };
const roleOf = (name: string): string => `arn:aws:iam::${fakeAccount}:role/${name}`;
const policyOf = (...Statement: readonly object[]): string => JSON.stringify({ Version: "2012-10-17", Statement });
const allow = (Action: string | string[], Resource: string | string[] = "*", rest: object = {}): object => ({
  Effect: "Allow",
  Action,
  Resource,
  ...rest,
});

interface Story extends Clients {
  readonly salvia: FakeSalvia;
  /** A role that SageMaker and the account may assume, with these statements as its policy. */
  readonly role: (name: string, ...statements: readonly object[]) => Promise<string>;
  readonly as: (role: string) => Promise<Clients>;
  /** Root of another account. */
  readonly other: Clients;
}

async function setup(): Promise<Story> {
  const salvia = await startFakeSalvia();
  onTestFinished(() => salvia.stop());
  const root = clientsOf(salvia);
  const key = { access_key_id: otherRoot.accessKeyId, secret_access_key: otherRoot.secretAccessKey, is_active: 1 };
  const row = { ...key, account: otherAccount, user_id: otherAccount, created_at: 0 };
  await salvia.store.write((tx) =>
    tx
      .insertInto("access_keys")
      .values({ ...row, principal_arn: `arn:aws:iam::${otherAccount}:root` })
      .execute(),
  );
  const trust = {
    Effect: "Allow",
    Principal: { Service: "sagemaker.amazonaws.com", AWS: fakeAccount },
    Action: "sts:AssumeRole",
  };
  return {
    salvia,
    ...root,
    other: clientsOf(salvia, otherRoot),
    role: async (RoleName, ...statements) => {
      await root.iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: policyOf(trust) }));
      if (statements.length > 0) await grant(root, RoleName, ...statements);
      return roleOf(RoleName);
    },
    as: async (RoleName) => {
      const command = new AssumeRoleCommand({ RoleArn: roleOf(RoleName), RoleSessionName: "s1" });
      const { Credentials: made } = await root.sts.send(command);
      return clientsOf(salvia, {
        accessKeyId: made?.AccessKeyId ?? "",
        secretAccessKey: made?.SecretAccessKey ?? "",
        sessionToken: made?.SessionToken ?? "",
      });
    },
  };
}

async function grant({ iam }: Clients, RoleName: string, ...statements: readonly object[]): Promise<void> {
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "inline", PolicyDocument: policyOf(...statements) }));
}

/** Code and message of what it rejects with. */
const problemOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
    return "none";
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
};

const sessionOf = (role: string): string => `arn:aws:sts::${fakeAccount}:assumed-role/${role}/s1`;
const listed = new ListTrainingJobsCommand({});

test("a role without policies may only ask who it is, and is told why not", async () => {
  const { role, as } = await setup();
  await role("Nothing");
  const { sts, sagemaker, s3 } = await as("Nothing");
  expect((await sts.send(new GetCallerIdentityCommand({}))).Arn).toBe(sessionOf("Nothing"));
  expect(await problemOf(sagemaker.send(listed))).toBe(
    `AccessDeniedException: User: ${sessionOf("Nothing")} is not authorized to perform: sagemaker:ListTrainingJobs on resource: * because no identity-based policy allows the sagemaker:ListTrainingJobs action`,
  );
  expect(await problemOf(s3.send(new CreateBucketCommand({ Bucket: "mine" })))).toBe(
    `AccessDenied: User: ${sessionOf("Nothing")} is not authorized to perform: s3:CreateBucket on resource: "arn:aws:s3:::mine" because no identity-based policy allows the s3:CreateBucket action`,
  );
});

test("what a role may changes with its policies, at once", async () => {
  const story = await setup();
  await story.role("Reader", allow("sagemaker:List*"));
  const { sagemaker } = await story.as("Reader");
  expect((await sagemaker.send(listed)).TrainingJobSummaries).toEqual([]);
  await grant(story, "Reader", allow("*"), { Effect: "Deny", Action: "sagemaker:List*", Resource: "*" });
  expect(await problemOf(sagemaker.send(listed))).toContain("with an explicit deny in an identity-based policy");
  await story.iam.send(new DeleteRolePolicyCommand({ RoleName: "Reader", PolicyName: "inline" }));
  expect(await problemOf(sagemaker.send(listed))).toContain("because no identity-based policy allows");
  const PolicyArn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess";
  await story.iam.send(new AttachRolePolicyCommand({ RoleName: "Reader", PolicyArn }));
  expect((await sagemaker.send(listed)).TrainingJobSummaries).toEqual([]);
});

const jobWith = (RoleArn: string, over: Partial<CreateTrainingJobCommandInput> = {}): CreateTrainingJobCommand =>
  new CreateTrainingJobCommand({
    TrainingJobName: "job",
    AlgorithmSpecification: {
      TrainingImage: "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1",
      TrainingInputMode: "File",
    },
    RoleArn,
    HyperParameters: { k: "10", feature_dim: "2" },
    InputDataConfig: [
      { ChannelName: "train", DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: "s3://digits/train" } } },
    ],
    OutputDataConfig: { S3OutputPath: "s3://digits/output" },
    ResourceConfig: { InstanceCount: 1, InstanceType: "ml.c4.xlarge", VolumeSizeInGB: 50 },
    StoppingCondition: { MaxRuntimeInSeconds: 3_600 },
    ...over,
  });

test("whoever hands a role over needs iam:PassRole for it, to SageMaker", async () => {
  const story = await setup();
  const worker = await story.role("Worker", allow("s3:*"));
  await story.role("Maker", allow("sagemaker:*"));
  const { sagemaker } = await story.as("Maker");
  expect(await problemOf(sagemaker.send(jobWith(worker)))).toBe(
    `AccessDeniedException: User: ${sessionOf("Maker")} is not authorized to perform: iam:PassRole on resource: ${worker} because no identity-based policy allows the iam:PassRole action`,
  );
  const passing = (service: string): object =>
    allow("iam:PassRole", worker, { Condition: { StringEquals: { "iam:PassedToService": service } } });
  await grant(story, "Maker", allow("sagemaker:*"), passing("ec2.amazonaws.com"));
  expect(await problemOf(sagemaker.send(jobWith(worker)))).toContain("iam:PassRole");
  await grant(story, "Maker", allow("sagemaker:*"), passing("sagemaker.amazonaws.com"));
  await sagemaker.send(jobWith(worker));
});

test("a role must trust SageMaker, and be of the account", async () => {
  const { iam, sagemaker } = await setup();
  const document = policyOf({ Effect: "Allow", Principal: { AWS: fakeAccount }, Action: "sts:AssumeRole" });
  await iam.send(new CreateRoleCommand({ RoleName: "Mistrustful", AssumeRolePolicyDocument: document }));
  expect(await problemOf(sagemaker.send(jobWith(roleOf("Mistrustful"))))).toContain(
    `Could not assume role ${roleOf("Mistrustful")}.`,
  );
  expect(await problemOf(sagemaker.send(jobWith(`arn:aws:iam::${otherAccount}:role/x`)))).toContain(
    "Cross-account pass role is not allowed.",
  );
});

test("a role is assumed only by whom it trusts", async () => {
  const { iam, sts, other, role, as } = await setup();
  const document = policyOf({
    Effect: "Allow",
    Principal: { Service: "sagemaker.amazonaws.com" },
    Action: "sts:AssumeRole",
  });
  await iam.send(new CreateRoleCommand({ RoleName: "Service", AssumeRolePolicyDocument: document }));
  const assume = (name: string): AssumeRoleCommand =>
    new AssumeRoleCommand({ RoleArn: roleOf(name), RoleSessionName: "s1" });
  const denied = (arn: string, name: string): string =>
    `AccessDenied: User: ${arn} is not authorized to perform: sts:AssumeRole on resource: ${roleOf(name)}`;
  const root = `arn:aws:iam::${fakeAccount}:root`;
  expect(await problemOf(sts.send(assume("Service")))).toBe(denied(root, "Service"));
  expect(await problemOf(sts.send(assume("Nobody")))).toBe(denied(root, "Nobody"));
  await role("Worker");
  expect(await problemOf(other.sts.send(assume("Worker")))).toBe(denied(`arn:aws:iam::${otherAccount}:root`, "Worker"));
  const worker = await as("Worker");
  expect(await problemOf(worker.sts.send(assume("SalviaExecutionRole")))).toContain("is not authorized");
});

async function withDigits(): Promise<Story> {
  const story = await setup();
  await story.s3.send(new CreateBucketCommand({ Bucket: "digits" }));
  for (const Key of ["train/0", "train/secret"])
    await story.s3.send(new PutObjectCommand({ Bucket: "digits", Key, Body: "1,2\n" }));
  return story;
}

const digits = "arn:aws:s3:::digits";
const list = allow("s3:ListBucket", digits, { Condition: { StringLike: { "s3:prefix": "train*" } } });
const write = allow("s3:PutObject", `${digits}/output/*`);

test.for([
  ["the channel's bucket", [write], 'Unauthorized to List objects under S3 URL "s3://digits/train"'],
  ["the channel's bucket", [write], "no identity-based policy allows the s3:ListBucket action"],
  [
    "one object of the channel",
    [write, list, allow("s3:GetObject", `${digits}/train/0`)],
    '"s3:GetObject" permissions on "s3://digits/train/secret"',
  ],
  ["the output", [list, allow("s3:GetObject", `${digits}/*`)], "Artifact upload failed"],
] as const)("a job fails whose role may not use %s", async ([, statements, reason]) => {
  const { salvia, sagemaker, role } = await withDigits();
  await sagemaker.send(jobWith(await role("Worker", ...statements)));
  await salvia.settle();
  const job = await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: "job" }));
  expect(job.TrainingJobStatus).toBe("Failed");
  expect(job.FailureReason).toMatch(/^ClientError: /);
  expect(job.FailureReason).toContain(reason);
});

test("a job starts whose role may read its channel and write its output", async () => {
  const { salvia, sagemaker, role } = await withDigits();
  await sagemaker.send(jobWith(await role("Worker", list, write, allow("s3:GetObject", `${digits}/train/*`))));
  await salvia.settle();
  const job = await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: "job" }));
  expect([job.TrainingJobStatus, job.FailureReason]).toEqual(["InProgress", undefined]);
});

const bucketPolicy = (...statements: readonly object[]): PutBucketPolicyCommand =>
  new PutBucketPolicyCommand({ Bucket: "digits", Policy: policyOf(...statements) });

test("what a bucket's policy opens to everyone needs no signature", async () => {
  const { salvia, s3 } = await withDigits();
  const status = async (path: string, init?: RequestInit): Promise<number> =>
    (await fetch(`${salvia.url}/${path}`, init)).status;
  expect([await status("digits/train/0"), await status("nowhere/x"), await status("")]).toEqual([403, 404, 403]);
  const open = (Action: string, Resource: string): object => ({ Effect: "Allow", Principal: "*", Action, Resource });
  await s3.send(new DeletePublicAccessBlockCommand({ Bucket: "digits" }));
  await s3.send(bucketPolicy(open("s3:GetObject", `${digits}/train/0`), open("s3:PutObject", `${digits}/drop/*`)));
  const answer = await fetch(`${salvia.url}/digits/train/0`);
  expect([answer.status, await answer.text()]).toEqual([200, "1,2\n"]);
  expect(await status("digits/train/secret")).toBe(403);
  expect(await status("digits?list-type=2")).toBe(403);
  expect(await status("digits/drop/1", { method: "PUT", body: "dropped" })).toBe(200);
  expect(await status("digits/train/0", { method: "PUT", body: "x" })).toBe(403);
  expect(await status("new-bucket", { method: "PUT" })).toBe(403);
  const dropped = await s3.send(new GetObjectCommand({ Bucket: "digits", Key: "drop/1" }));
  expect(await dropped.Body?.transformToString()).toBe("dropped");
  await s3.send(new DeleteBucketPolicyCommand({ Bucket: "digits" }));
  expect(await status("digits/train/0")).toBe(403);
});

test("buckets are closed to other accounts until both sides allow", async () => {
  const { s3, other } = await withDigits();
  const get = (): Promise<unknown> => other.s3.send(new GetObjectCommand({ Bucket: "digits", Key: "train/0" }));
  expect(await problemOf(get())).toBe("AccessDenied: Access Denied");
  const open = (Action: string[], Resource: string[]): object => ({
    Effect: "Allow",
    Principal: { AWS: otherAccount },
    Action,
    Resource,
  });
  await s3.send(bucketPolicy(open(["s3:GetObject", "s3:ListBucket"], [digits, `${digits}/train/*`])));
  expect(await problemOf(get())).toBe("none");
  const seen = await other.s3.send(new ListObjectsV2Command({ Bucket: "digits" }));
  expect(seen.Contents?.length).toBe(2);
  const put = new PutObjectCommand({ Bucket: "digits", Key: "train/0", Body: "x" });
  expect(await problemOf(other.s3.send(put))).toBe("AccessDenied: Access Denied");
  await other.s3.send(new CreateBucketCommand({ Bucket: "theirs" }));
  const copy = (CopySource: string): CopyObjectCommand =>
    new CopyObjectCommand({ Bucket: "theirs", Key: "x", CopySource });
  await other.s3.send(copy("digits/train/0"));
  expect(await problemOf(other.s3.send(copy("digits/output/0")))).toBe("AccessDenied: Access Denied");
  const back = new CopyObjectCommand({ Bucket: "digits", Key: "train/x", CopySource: "theirs/x" });
  expect(await problemOf(other.s3.send(back))).toBe("AccessDenied: Access Denied");
});

test("that an object is not there, is told to who may list its bucket", async () => {
  const story = await withDigits();
  await story.role("Getter", allow("s3:GetObject"));
  const { s3 } = await story.as("Getter");
  const get = (): Promise<unknown> => s3.send(new GetObjectCommand({ Bucket: "digits", Key: "nothing" }));
  expect(await problemOf(get())).toBe("AccessDenied: Access Denied");
  await grant(story, "Getter", allow(["s3:GetObject", "s3:ListBucket"]));
  expect(await problemOf(get())).toContain("NoSuchKey");
});

test("of many objects, those are deleted that may be, and the others are told", async () => {
  const story = await withDigits();
  await story.role("Cleaner", allow("s3:DeleteObject", `${digits}/train/0`));
  const { s3 } = await story.as("Cleaner");
  const Objects = [{ Key: "train/0" }, { Key: "train/secret" }];
  const answer = await s3.send(new DeleteObjectsCommand({ Bucket: "digits", Delete: { Objects } }));
  expect(answer.Deleted?.map(({ Key }) => Key)).toEqual(["train/0"]);
  expect(answer.Errors?.map(({ Key, Code }) => [Key, Code])).toEqual([["train/secret", "AccessDenied"]]);
  const left = await story.s3.send(new ListObjectsV2Command({ Bucket: "digits" }));
  expect(left.Contents?.map(({ Key }) => Key)).toEqual(["train/secret"]);
});

test("a role's path is part of what policies call it", async () => {
  const story = await setup();
  const AssumeRolePolicyDocument = policyOf({
    Effect: "Allow",
    Principal: { Service: "ec2.amazonaws.com" },
    Action: "sts:AssumeRole",
  });
  await story.iam.send(new CreateRoleCommand({ RoleName: "Deep", Path: "/team/", AssumeRolePolicyDocument }));
  await story.role("Looker", allow("iam:GetRole", roleOf("team/*")));
  const { iam } = await story.as("Looker");
  expect((await iam.send(new GetRoleCommand({ RoleName: "Deep" }))).Role?.Arn).toBe(roleOf("team/Deep"));
  expect(await problemOf(iam.send(new GetRoleCommand({ RoleName: "Looker" })))).toContain("iam:GetRole");
});

test("the tags of a request and of a resource decide where a policy says so", async () => {
  const story = await withDigits();
  const worker = await story.role("Worker", allow("s3:*"));
  const byTag = (key: string): object => ({ Condition: { StringEquals: { [key]: "red" } } });
  await story.role(
    "Maker",
    allow("iam:PassRole"),
    allow(["sagemaker:CreateTrainingJob", "sagemaker:AddTags"], "*", byTag("aws:RequestTag/team")),
    allow("sagemaker:DescribeTrainingJob", "*", byTag("aws:ResourceTag/team")),
  );
  const { sagemaker } = await story.as("Maker");
  expect(await problemOf(sagemaker.send(jobWith(worker)))).toContain("sagemaker:CreateTrainingJob");
  await sagemaker.send(jobWith(worker, { Tags: [{ Key: "team", Value: "red" }] }));
  await story.sagemaker.send(jobWith(worker, { TrainingJobName: "blue", Tags: [{ Key: "team", Value: "blue" }] }));
  const describe = (TrainingJobName: string): Promise<unknown> =>
    sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName }));
  expect(await problemOf(describe("job"))).toBe("none");
  expect(await problemOf(describe("blue"))).toContain("is not authorized to perform: sagemaker:DescribeTrainingJob");
});
