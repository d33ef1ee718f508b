// kill -9 of the server, alone and with all its agents, in the middle of each kind of job: processing, batch transform, training in Pipe
// mode. Each ends as it should.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import {
  CreateModelCommand,
  CreateProcessingJobCommand,
  CreateTrainingJobCommand,
  CreateTransformJobCommand,
  DescribeProcessingJobCommand,
  DescribeTrainingJobCommand,
  DescribeTransformJobCommand,
} from "@aws-sdk/client-sagemaker";
import { expect, onTestFinished, test } from "vitest";
import { installationOf } from "../../src/compute/docker/docker-backend.ts";
import { killNow, processesOf } from "../kill/processes.ts";
import { Victim } from "../kill/victim.ts";

const image = "salvia-test/python:3";
const hasImage = spawnSync("docker", ["image", "inspect", image], { timeout: 30_000 }).status === 0;
const title = (text: string): string =>
  hasImage ? text : `${text} (skipped: no Docker Engine answers here, or it lacks ${image})`;

const bucket = "kill-jobs";
const RoleArn = "arn:aws:iam::000000000000:role/SalviaExecutionRole";
type Clients = ReturnType<Victim["clients"]>;

/** Each lasts a few seconds, so that the server dies in their middle. */
const processing = `
import time
for step in range(30): time.sleep(0.1)
open("/opt/ml/processing/out/result", "w").write(open("/opt/ml/processing/in/a").read() * 2)
`;
const piped = `
import time
sizes = []
for epoch in range(3):
    with open(f"/opt/ml/input/data/train_{epoch}", "rb") as pipe:
        size = 0
        while chunk := pipe.read(200_000):
            size += len(chunk)
            time.sleep(0.1)
    sizes.append(size)
open("/opt/ml/model/sizes", "w").write(str(sizes))
assert sizes == [2_000_000] * 3, sizes
`;
const model = `
import http.server, os, signal, time
# The first process of a container dies of no signal that it does not handle.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
class Model(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.answer(200 if self.path == "/ping" else 404, b"")
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        time.sleep(0.2)
        self.answer(200, body.upper())
    def answer(self, status, body):
        self.send_response(status); self.send_header("content-length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("", int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))), Model).serve_forever()
`;

async function startAll({ s3, sagemaker }: Clients): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const put = (Key: string, Body: string | Buffer) => s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
  await put("in/a", "twice ");
  await put("in/process.py", processing);
  await put("lines/a.txt", Array.from({ length: 15 }, (_, at) => `line ${at}\n`).join(""));
  await put("bytes/a", Buffer.alloc(2_000_000));
  const s3Source = (prefix: string) =>
    ({ S3DataType: "S3Prefix", S3Uri: `s3://${bucket}/${prefix}`, S3DataDistributionType: "FullyReplicated" }) as const;
  await sagemaker.send(
    new CreateProcessingJobCommand({
      ProcessingJobName: "processing",
      RoleArn,
      AppSpecification: { ImageUri: image, ContainerEntrypoint: ["python3", "-u", "/opt/ml/processing/in/process.py"] },
      ProcessingInputs: [
        { InputName: "in", S3Input: { ...s3Source("in/"), S3InputMode: "File", LocalPath: "/opt/ml/processing/in" } },
      ],
      ProcessingOutputConfig: {
        Outputs: [
          {
            OutputName: "out",
            S3Output: { S3Uri: `s3://${bucket}/out`, LocalPath: "/opt/ml/processing/out", S3UploadMode: "EndOfJob" },
          },
        ],
      },
      ProcessingResources: { ClusterConfig: { InstanceCount: 1, InstanceType: "ml.m5.large", VolumeSizeInGB: 1 } },
    }),
  );
  await put("code/piped.py", piped);
  await sagemaker.send(
    new CreateTrainingJobCommand({
      TrainingJobName: "piped",
      RoleArn,
      AlgorithmSpecification: {
        TrainingImage: image,
        TrainingInputMode: "File",
        ContainerEntrypoint: ["python3", "-u", "/opt/ml/input/data/code/piped.py"],
      },
      InputDataConfig: [
        { ChannelName: "code", DataSource: { S3DataSource: s3Source("code/") } },
        { ChannelName: "train", InputMode: "Pipe", DataSource: { S3DataSource: s3Source("bytes/") } },
      ],
      OutputDataConfig: { S3OutputPath: `s3://${bucket}/output` },
      ResourceConfig: { InstanceCount: 1, InstanceType: "ml.m5.large", VolumeSizeInGB: 1 },
      StoppingCondition: { MaxRuntimeInSeconds: 600 },
      // An agent that dies in the middle of an epoch takes the attempt with it.
      RetryStrategy: { MaximumRetryAttempts: 3 },
    }),
  );
  const built = spawnSync("docker", ["build", "-q", "-t", "salvia-test/capitals", "-"], {
    input: `FROM ${image}\nENTRYPOINT ["python3", "-uc", ${JSON.stringify(model)}]\n`,
    encoding: "utf8",
  });
  expect(built.status, built.stderr).toBe(0);
  await sagemaker.send(
    new CreateModelCommand({
      ModelName: "capitals",
      ExecutionRoleArn: RoleArn,
      PrimaryContainer: { Image: "salvia-test/capitals" },
    }),
  );
  await sagemaker.send(
    new CreateTransformJobCommand({
      TransformJobName: "transform",
      ModelName: "capitals",
      BatchStrategy: "SingleRecord",
      TransformInput: {
        DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: `s3://${bucket}/lines/` } },
        SplitType: "Line",
      },
      TransformOutput: { S3OutputPath: `s3://${bucket}/capitals` },
      TransformResources: { InstanceType: "ml.m5.large", InstanceCount: 1 },
    }),
  );
}

async function statesOf({ sagemaker }: Clients): Promise<Record<string, string | undefined>> {
  const processed = await sagemaker.send(new DescribeProcessingJobCommand({ ProcessingJobName: "processing" }));
  const trained = await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: "piped" }));
  const transformed = await sagemaker.send(new DescribeTransformJobCommand({ TransformJobName: "transform" }));
  return {
    processing: processed.FailureReason ?? processed.ProcessingJobStatus,
    piped: trained.FailureReason ?? trained.TrainingJobStatus,
    transform: transformed.FailureReason ?? transformed.TransformJobStatus,
  };
}

const bodyOf = async ({ s3 }: Clients, Key: string): Promise<string | undefined> =>
  (await s3.send(new GetObjectCommand({ Bucket: bucket, Key }))).Body?.transformToString();

const done = { processing: "Completed", piped: "Completed", transform: "Completed" };

async function expectResults(clients: Clients): Promise<void> {
  await expect.poll(() => statesOf(clients), { timeout: 90_000, interval: 300 }).toEqual(done);
  expect(await bodyOf(clients, "out/result")).toBe("twice twice ");
  const capitals = Array.from({ length: 15 }, (_, at) => `LINE ${at}\n`);
  expect(await bodyOf(clients, "capitals/a.txt.out")).toBe(capitals.join(""));
}

for (const target of ["the server", "the server and its agents"] as const)
  test.skipIf(!hasImage)(
    title(`processing, transform and Pipe mode live through kill -9 of ${target}, and end as they should`),
    { timeout: 150_000 },
    async () => {
      const dataFolder = mkdtempSync(join(tmpdir(), "salvia-docker-kill-"));
      const label = `label=io.salvia.installation=${installationOf(dataFolder)}`;
      const containers = (words: string): string =>
        spawnSync("docker", ["ps", words, "--filter", label], { encoding: "utf8" }).stdout.trim();
      const victim = await Victim.on(dataFolder);
      onTestFinished(async () => {
        await victim.stop();
        for (const { pid } of processesOf(dataFolder)) killNow(pid);
        rmSync(dataFolder, { recursive: true, force: true });
        spawnSync("docker", ["rmi", "-f", "salvia-test/capitals"]);
      });
      await victim.start();
      const clients = victim.clients();
      await startAll(clients);
      // All of them run.
      await expect.poll(() => containers("-q").split("\n").length, { timeout: 60_000, interval: 50 }).toBe(3);
      for (let kill = 0; kill < 3; kill++) {
        await victim.kill();
        const agents = processesOf(dataFolder).filter(({ kind }) => kind === "agent");
        if (target === "the server and its agents") for (const { pid } of agents) killNow(pid);
        await victim.start();
        await new Promise((resolve) => setTimeout(resolve, 700));
      }
      await expectResults(clients);
      await expect.poll(() => containers("-aq"), { timeout: 20_000, interval: 200 }).toBe("");
    },
  );
