// What Salvia adds to a container's start: from CreateTrainingJob to the program's first moment, beside a bare `docker run` and beside
// fit() of SDK 2's local mode. The image is in the engine; the program says what time it is.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateTrainingJobCommand, DescribeTrainingJobCommand, SageMakerClient } from "@aws-sdk/client-sagemaker";
import { pythonFor } from "../../acceptance/python-environment.ts";
import { startBenchServer } from "../server.ts";
import { median, type BenchRow } from "../table.ts";

const rounds = 9;
const image = "salvia-test/python:3";
const bucket = "bench-docker";
const goalMs = 500;
const program = "import time; print(time.time_ns() // 1000000)";

const docker = (...words: string[]) => spawnSync("docker", words, { encoding: "utf8", timeout: 60_000 });

/** ms from the command to the program's first moment. */
function bareRun(): number {
  const startedAt = Date.now();
  const { stdout } = docker("run", "--rm", image, "python3", "-c", program);
  return Number(stdout.trim()) - startedAt;
}

function clientsOf(url: string, credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }) {
  const shared = { endpoint: url, region: "us-west-2", credentials };
  return {
    s3: new S3Client({ ...shared, forcePathStyle: true }),
    sagemaker: new SageMakerClient(shared),
    logs: new CloudWatchLogsClient(shared),
  };
}

/** A string says why there are none. */
async function localModeStarts(folder: string): Promise<readonly number[] | string> {
  if (spawnSync("docker-compose", ["version"]).status !== 0 && docker("compose", "version").status !== 0)
    return "skipped: there is no docker compose (apt-get install docker-compose)";
  const made = await pythonFor("sdk2-local", ["sagemaker[local]==2.257.7", "numpy==1.26.4"]);
  if (typeof made === "string") return `skipped: ${made}`;
  // The SDK would tell its makers of every fit().
  const config = join(folder, "config.yaml");
  writeFileSync(config, "SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n      TelemetryOptOut: true\n");
  const script = join(import.meta.dirname, "local_mode.py");
  const { status, stdout, stderr } = spawnSync(made.python, [script, image, program, String(rounds)], {
    encoding: "utf8",
    timeout: 180_000,
    env: { ...process.env, SAGEMAKER_USER_CONFIG_OVERRIDE: config },
  });
  if (status !== 0) throw new Error(`SDK 2's local mode failed: ${stderr.slice(-2_000)}`);
  return [...stdout.matchAll(/^start (\d+)$/gm)].map(([, ms]) => Number(ms));
}

type Clients = ReturnType<typeof clientsOf>;

async function job({ sagemaker, logs }: Clients, name: string): Promise<number> {
  const startedAt = Date.now();
  await sagemaker.send(
    new CreateTrainingJobCommand({
      TrainingJobName: name,
      AlgorithmSpecification: {
        TrainingImage: image,
        TrainingInputMode: "File",
        ContainerEntrypoint: ["python3", "-c", program],
      },
      RoleArn: "arn:aws:iam::000000000000:role/SalviaExecutionRole",
      OutputDataConfig: { S3OutputPath: `s3://${bucket}/out` },
      ResourceConfig: { InstanceCount: 1, InstanceType: "ml.c5.xlarge", VolumeSizeInGB: 1 },
      StoppingCondition: { MaxRuntimeInSeconds: 60 },
    }),
  );
  let status: string | undefined = "InProgress";
  while (status === "InProgress") {
    await new Promise((resolve) => setTimeout(resolve, 50));
    status = (await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: name }))).TrainingJobStatus;
  }
  const wanted = { logGroupName: "/aws/sagemaker/TrainingJobs", logStreamNamePrefix: `${name}/` };
  const { events } = await logs.send(new FilterLogEventsCommand(wanted));
  const first = Number(events?.[0]?.message);
  if (!Number.isFinite(first)) throw new Error(`${name} ended as ${status} without its line`);
  return first - startedAt;
}

const shown = (times: readonly number[]): string =>
  `${median(times).toFixed(0)} ms (${Math.min(...times)} to ${Math.max(...times)})`;

export async function run(): Promise<readonly BenchRow[]> {
  if (docker("image", "inspect", image).status !== 0)
    throw new Error(`no Docker Engine answers, or it lacks ${image}: tools/docker/start, tools/docker/base-image`);
  const folder = mkdtempSync(join(tmpdir(), "salvia-bench-"));
  const server = await startBenchServer(folder);
  try {
    const clients = clientsOf(server.url, server.target);
    const place = { CreateBucketConfiguration: { LocationConstraint: "us-west-2" as const } };
    await clients.s3.send(new CreateBucketCommand({ Bucket: bucket, ...place }));
    await job(clients, "warm-up");
    const ours: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round < rounds; round++) {
      bare.push(bareRun());
      ours.push(await job(clients, `start-${round}`));
    }
    const local = await localModeStarts(folder);
    const moreMs = median(ours) - median(bare);
    const what = "CreateTrainingJob → the container's first moment";
    const signed = (ms: number): string => `${ms >= 0 ? "+" : ""}${ms.toFixed(0)} ms`;
    return [
      {
        what,
        ours: shown(ours),
        peer: `docker run ${shown(bare)}`,
        ratio: signed(moreMs),
        goal: `≤ +${goalMs} ms`,
        isMet: moreMs <= goalMs,
      },
      {
        what,
        ours: shown(ours),
        peer: typeof local === "string" ? local : `SDK 2, local mode ${shown(local)}`,
        ratio: typeof local === "string" ? "" : signed(median(ours) - median(local)),
        goal: "≤ +0 ms",
        isMet: typeof local === "string" ? undefined : median(ours) <= median(local),
      },
    ];
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
