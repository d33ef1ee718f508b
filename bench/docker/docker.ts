// What Salvia adds to a container's start: from CreateTrainingJob to the program's first moment, beside a bare `docker run`. The image is
// in the engine; the program says what time it is.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateTrainingJobCommand, DescribeTrainingJobCommand, SageMakerClient } from "@aws-sdk/client-sagemaker";
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
    const moreMs = median(ours) - median(bare);
    return [
      {
        what: "CreateTrainingJob → the container's first moment",
        ours: shown(ours),
        peer: `docker run ${shown(bare)}`,
        ratio: `${moreMs >= 0 ? "+" : ""}${moreMs.toFixed(0)} ms`,
        goal: `≤ +${goalMs} ms`,
        isMet: moreMs <= goalMs,
      },
    ];
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
