// Backup of a running server and restore elsewhere, end to end: real processes, AWS's clients.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import {
  CreateModelCommand,
  CreateTrainingJobCommand,
  DescribeModelCommand,
  DescribeTrainingJobCommand,
  SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { processKey, runSalvia, serveOn } from "../server-process.fake.ts";

const Bucket = "kept";
const image = "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1";
const role = "arn:aws:iam::000000000000:role/SalviaExecutionRole";
const job = "job";

function folderForTest(): string {
  const folder = mkdtempSync(join(tmpdir(), "salvia-backup-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  return folder;
}

function clientsOf(endpoint: string) {
  const options = { endpoint, region: "us-west-2", credentials: processKey, maxAttempts: 1 };
  const clients = {
    s3: new S3Client({ ...options, forcePathStyle: true }),
    sagemaker: new SageMakerClient(options),
    logs: new CloudWatchLogsClient(options),
  };
  onTestFinished(() => {
    for (const client of Object.values(clients)) client.destroy();
  });
  return clients;
}

type Clients = ReturnType<typeof clientsOf>;

/** Some small, some with a file of their own. */
const body = (at: number): Uint8Array => new Uint8Array(at % 2 === 0 ? 100 : 100_000).fill(at % 251);

async function fill({ s3, sagemaker }: Clients): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket }));
  const VersioningConfiguration = { Status: "Enabled" } as const;
  for (let at = 0; at < 20; at++) await s3.send(new PutObjectCommand({ Bucket, Key: `o${at}`, Body: body(at) }));
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "twice", Body: body(1) }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "twice", Body: body(3) }));
  const rows = Array.from({ length: 2_000 }, (_, at) => `${at % 7},${at % 11}`).join("\n");
  await s3.send(new PutObjectCommand({ Bucket, Key: "rows/a.csv", Body: rows }));
  const S3DataSource = { S3DataType: "S3Prefix", S3Uri: `s3://${Bucket}/rows/` } as const;
  await sagemaker.send(
    new CreateTrainingJobCommand({
      TrainingJobName: job,
      AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: "File" },
      RoleArn: role,
      HyperParameters: { k: "2", feature_dim: "2" },
      InputDataConfig: [{ ChannelName: "train", ContentType: "text/csv;label_size=0", DataSource: { S3DataSource } }],
      OutputDataConfig: { S3OutputPath: `s3://${Bucket}/output` },
      ResourceConfig: { InstanceCount: 1, InstanceType: "ml.c5.xlarge", VolumeSizeInGB: 1 },
      StoppingCondition: { MaxRuntimeInSeconds: 600 },
    }),
  );
  await expect.poll(async () => (await describe(sagemaker)).TrainingJobStatus, { timeout: 60_000 }).toBe("Completed");
  const { ModelArtifacts } = await describe(sagemaker);
  const ModelDataUrl = ModelArtifacts?.S3ModelArtifacts;
  await sagemaker.send(
    new CreateModelCommand({
      ModelName: "model",
      ExecutionRoleArn: role,
      PrimaryContainer: { Image: image, ModelDataUrl },
    }),
  );
}

const describe = (sagemaker: SageMakerClient) =>
  sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: job }));

/** All that a client can see of it, without what differs from request to request. */
async function seen({ s3, sagemaker, logs }: Clients) {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  const objects = [];
  for (const { Key, ETag } of Contents.filter((each) => !each.Key?.startsWith("moving/"))) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    objects.push([Key, ETag, Buffer.from((await Body?.transformToByteArray()) ?? []).toString("base64")]);
  }
  const { $metadata: _job, ...described } = await describe(sagemaker);
  const { $metadata: _model, ...model } = await sagemaker.send(new DescribeModelCommand({ ModelName: "model" }));
  const { events = [] } = await logs.send(
    new FilterLogEventsCommand({ logGroupName: "/aws/sagemaker/TrainingJobs", logStreamNamePrefix: `${job}/` }),
  );
  return { objects, described, model, lines: events.map(({ message }) => message) };
}

/** Writes and deletes objects until told to stop; what a backup sees of them is whole. */
function disturb({ s3 }: Clients): () => Promise<number> {
  const stopping = new AbortController();
  const running = (async (): Promise<number> => {
    let at = 0;
    for (; !stopping.signal.aborted; at++) {
      await s3.send(new PutObjectCommand({ Bucket, Key: `moving/${at}`, Body: body(at) }));
      if (at > 3) await s3.send(new DeleteObjectCommand({ Bucket, Key: `moving/${at - 3}` }));
    }
    return at;
  })();
  return () => {
    stopping.abort();
    return running;
  };
}

async function expectWhole({ s3 }: Clients): Promise<void> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "moving/" }));
  for (const { Key } of Contents) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
    expect(Buffer.compare(bytes, body(Number(Key?.slice("moving/".length))))).toBe(0);
  }
}

const back = async (...args: readonly string[]): Promise<void> => {
  const { code, stderr } = await runSalvia(["backup", ...args]).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
};

test("a backup of a running server under load is whole, and restored elsewhere it is all there, as a file and as a folder", async () => {
  const folder = folderForTest();
  const data = join(folder, "data");
  const server = serveOn(data);
  const clients = clientsOf(await server.ready());
  await fill(clients);
  const before = await seen(clients);
  const stop = disturb(clients);
  await systemClock.sleep(300);
  await back(join(folder, "copy.tar"), "--data", data);
  await back(join(folder, "copy"), "--data", data);
  expect(await stop()).toBeGreaterThan(0);
  await server.kill("SIGKILL");

  for (const name of ["copy.tar", "copy"]) {
    const restored = join(folder, `from-${name}`);
    const { code, stdout, stderr } = await runSalvia(["restore", join(folder, name), "--data", restored]).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/ is as it was at \d{4}-/);
    const again = clientsOf(await serveOn(restored).ready());
    expect(await seen(again)).toEqual(before);
    await expectWhole(again);
  }
  // Nothing half made is left beside them.
  expect(readdirSync(folder).sort()).toEqual(["copy", "copy.tar", "data", "from-copy", "from-copy.tar"]);
}, 120_000);

async function madeBackup() {
  const folder = folderForTest();
  const data = join(folder, "data");
  const server = serveOn(data);
  const { s3 } = clientsOf(await server.ready());
  await s3.send(new CreateBucketCommand({ Bucket }));
  for (let at = 0; at < 4; at++) await s3.send(new PutObjectCommand({ Bucket, Key: `o${at}`, Body: body(at) }));
  const copy = join(folder, "copy");
  await back(copy, "--data", data);
  await back(`${copy}.tar`, "--data", data);
  const restore = (from: string, to = join(folder, "restored")) => runSalvia(["restore", from, "--data", to]).ended;
  return { folder, data, copy, restore };
}

test("a backup that was cut or lost a part is refused, and leaves no folder behind", async () => {
  const { folder, copy, restore } = await madeBackup();
  truncateSync(`${copy}.tar`, 60_000);
  const cut = await restore(`${copy}.tar`);
  expect(cut.code).toBe(1);
  expect(cut.stderr).toMatch(/no whole backup|damaged/);
  const [blob = ""] = readdirSync(join(copy, "blobs"));
  unlinkSync(join(copy, "blobs", blob));
  expect((await restore(copy)).stderr).toMatch(/ is damaged: it holds 1 blobs of 2\n$/);
  unlinkSync(join(copy, "manifest.json"));
  expect((await restore(copy)).stderr).toMatch(/ is no whole backup: its end is missing\n$/);
  expect(existsSync(join(folder, "restored"))).toBe(false);
});

test("a restore touches no folder with anything in it, a backup replaces nothing", async () => {
  const { folder, data, copy, restore } = await madeBackup();
  expect(await restore(copy, data)).toMatchObject({ code: 1, stderr: expect.stringMatching(/ is not empty; /) });
  const again = await runSalvia(["backup", copy, "--data", data]).ended;
  expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/ exists already; /) });
  const nowhere = await runSalvia(["backup", join(folder, "b"), "--data", join(folder, "none")]).ended;
  expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringMatching(/^there is no Salvia in /) });
});

/** Kills backups until one was under way: on a busy machine a small one may end before anybody looks. */
async function killedBackup(folder: string, data: string): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const target = join(folder, `killed-${attempt}`);
    const killed = runSalvia(["backup", target, "--data", data]);
    const hasBegun = (): boolean => readdirSync(folder).some((name) => name.startsWith(`.killed-${attempt}.partial-`));
    while (!hasBegun() && !existsSync(target)) await new Promise((resolve) => setTimeout(resolve, 1));
    const isEarly = !existsSync(target);
    await killed.kill("SIGKILL");
    // It may have taken its name between the look and the kill.
    if (isEarly && hasBegun()) {
      expect(existsSync(target)).toBe(false);
      return;
    }
  }
  throw new Error("no backup was seen under way");
}

test("a backup that is killed has no name yet, and a server refuses a folder whose restore was", async () => {
  const { folder, data } = await madeBackup();
  await killedBackup(folder, data);
  const half = join(folder, "half");
  mkdirSync(join(half, ".restoring"), { recursive: true });
  writeFileSync(join(half, ".restoring", "salvia.db"), "");
  const { code, stderr } = await serveOn(half).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^Salvia did not start: a restore into .* was interrupted\./);
});
