// A laptop's user: not root, but in the group that may ask the Docker Engine. What containers write is root's; jobs store it all the
// same, and nothing stays behind.
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateTrainingJobCommand, DescribeTrainingJobCommand, SageMakerClient } from "@aws-sdk/client-sagemaker";
import { expect, onTestFinished, test } from "vitest";
import { killNow, processesOf } from "../kill/processes.ts";

const image = "salvia-test/python:3";
const socket = "/var/run/docker.sock";
const canRun =
  process.getuid?.() === 0 &&
  existsSync(socket) &&
  spawnSync("docker", ["image", "inspect", image], { timeout: 30_000 }).status === 0;
const user = 54_321;
const root = join(import.meta.dirname, "..", "..");
const key = { accessKeyId: "AKIANOTROOTTEST00001", secretAccessKey: "not-root-test-secret-0001" };

/** Open to every user, wherever the checkout lies. */
function installedCopy(folder: string): { readonly node: string; readonly launcher: string } {
  for (const part of ["bin", "dist", "python", "package.json"])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  const node = join(folder, "node");
  cpSync(process.execPath, node);
  chmodSync(node, 0o755);
  spawnSync("chmod", ["-R", "a+rX", folder]);
  return { node, launcher: join(folder, "bin", "salvia.js") };
}

async function served(folder: string): Promise<{ readonly url: string; readonly data: string }> {
  const { node, launcher } = installedCopy(join(folder, "installed"));
  const data = join(folder, "home", "data");
  mkdirSync(join(folder, "home"));
  chownSync(join(folder, "home"), user, user);
  chmodSync(folder, 0o755);
  const words = [launcher, "serve", "--port", "0", "--data", data, "--compute", "docker", "--log-level", "warn"];
  const server = spawn(node, words, {
    uid: user,
    gid: statSync(socket).gid,
    cwd: join(folder, "home"),
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      PATH: process.env["PATH"],
      HOME: join(folder, "home"),
      SALVIA_ROOT_ACCESS_KEY_ID: key.accessKeyId,
      SALVIA_ROOT_SECRET_ACCESS_KEY: key.secretAccessKey,
    },
  });
  onTestFinished(async () => {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    if (server.exitCode === null && server.kill("SIGTERM")) await ended;
    for (const { pid } of processesOf(data)) killNow(pid);
    rmSync(folder, { recursive: true, force: true });
  });
  const url = await new Promise<string>((resolve, reject) => {
    let said = "";
    server.stdout.setEncoding("utf8").on("data", (part: string) => {
      said += part;
      const found = /ready at (http:\S+)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    server.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return { url, data };
}

const program =
  "umask 077; cd /opt/ml; mkdir model/closed; printf secret >model/closed/weights; printf saved >checkpoints/first; " +
  'chmod 700 model; test "$(cat input/data/train/row)" = 1,2';

test.skipIf(!canRun)(
  `a user of the engine who is not root gets the files of containers, and is rid of them (needs root and ${image})`,
  { timeout: 120_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "salvia-not-root-"));
    const { url, data } = await served(folder);
    const shared = { endpoint: url, region: "us-west-2", credentials: key };
    const [s3, sagemaker] = [new S3Client({ ...shared, forcePathStyle: true }), new SageMakerClient(shared)];
    await s3.send(new CreateBucketCommand({ Bucket: "not-root" }));
    await s3.send(new PutObjectCommand({ Bucket: "not-root", Key: "train/row", Body: "1,2" }));
    await sagemaker.send(
      new CreateTrainingJobCommand({
        TrainingJobName: "job",
        AlgorithmSpecification: {
          TrainingImage: image,
          TrainingInputMode: "File",
          ContainerEntrypoint: ["sh", "-c", program],
        },
        RoleArn: "arn:aws:iam::000000000000:role/SalviaExecutionRole",
        InputDataConfig: [
          {
            ChannelName: "train",
            DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: "s3://not-root/train/" } },
          },
        ],
        CheckpointConfig: { S3Uri: "s3://not-root/checkpoints" },
        OutputDataConfig: { S3OutputPath: "s3://not-root/output" },
        ResourceConfig: { InstanceCount: 1, InstanceType: "ml.m5.large", VolumeSizeInGB: 1 },
        StoppingCondition: { MaxRuntimeInSeconds: 60 },
      }),
    );
    const job = async () => sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: "job" }));
    await expect.poll(async () => (await job()).TrainingJobStatus, { timeout: 60_000 }).not.toBe("InProgress");
    const { TrainingJobStatus, FailureReason } = await job();
    expect({ TrainingJobStatus, FailureReason }).toEqual({ TrainingJobStatus: "Completed", FailureReason: undefined });
    const stored = async (Key: string) => (await s3.send(new GetObjectCommand({ Bucket: "not-root", Key }))).Body;
    expect(await (await stored("checkpoints/first"))?.transformToString()).toBe("saved");
    const packed = await (await stored("output/job/output/model.tar.gz"))?.transformToByteArray();
    const listing = spawn("tar", ["-xzO", "closed/weights"], { stdio: ["pipe", "pipe", "inherit"] });
    listing.stdin.end(packed);
    expect(await text(listing.stdout)).toBe("secret");
    await expect.poll(() => readdirSync(join(data, "tasks")), { timeout: 20_000 }).toEqual([]);
  },
);
