// How long a person waits: for the server on a folder with 10,000 rows, and from CreateTrainingJob to the algorithm's first line.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateTrainingJobCommand, DescribeTrainingJobCommand, SageMakerClient } from "@aws-sdk/client-sagemaker";
import { runLoad } from "../load.ts";
import { startBenchServer, type BenchServer } from "../server.ts";
import { signedRequest } from "../sign.ts";
import { median, type BenchRow } from "../table.ts";
import { trainingRequest } from "../training-request.ts";

const rounds = 7;
const bucket = "bench-start";
const role = "arn:aws:iam::000000000000:role/SalviaExecutionRole";
const image = "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1";

async function fill(server: BenchServer): Promise<void> {
  const requests = Array.from({ length: 10_000 }, (_, at) =>
    signedRequest(
      server.target,
      "CreateModel",
      { ModelName: `m-${at}`, ExecutionRoleArn: role, PrimaryContainer: { Image: image } },
      new Date(),
    ),
  );
  const { host, port } = server.target;
  const filled = await runLoad({ host, port, connections: 16, seconds: 120, requests, repeats: false });
  if (filled.answered !== 10_000 || filled.refused > 0)
    throw new Error(`only ${filled.answered - filled.refused} of 10,000 rows were made`);
}

async function coldStarts(folder: string): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now();
    const server = await startBenchServer(folder);
    const { host, port } = server.target;
    const requests = [signedRequest(server.target, "DescribeModel", { ModelName: "m-9999" }, new Date())];
    const { refused } = await runLoad({ host, port, connections: 1, seconds: 10, requests, repeats: false });
    if (refused > 0) throw new Error("the first request was refused");
    times.push(performance.now() - startedAt);
    await server.stop();
  }
  return times;
}

async function firstLines(folder: string): Promise<number[]> {
  const server = await startBenchServer(folder);
  const { accessKeyId, secretAccessKey } = server.target;
  const shared = { endpoint: server.url, region: "us-west-2", credentials: { accessKeyId, secretAccessKey } };
  const s3 = new S3Client({ ...shared, forcePathStyle: true });
  const sagemaker = new SageMakerClient(shared);
  const logs = new CloudWatchLogsClient(shared);
  const rows = Array.from({ length: 500 }, (_, at) => `${at % 7},${at % 5},${at % 3}`).join("\n");
  await s3.send(
    new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: "us-west-2" } }),
  );
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "rows.csv", Body: rows }));
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const name = `start-${round}`;
    await sagemaker.send(
      new CreateTrainingJobCommand(
        trainingRequest({ name, image, role, bucket, data: "rows.csv", volumeGigabytes: 1, maxSeconds: 60 }),
      ),
    );
    let status: string | undefined = "InProgress";
    let created: Date | undefined;
    while (status === "InProgress") {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const job = await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: name }));
      status = job.TrainingJobStatus;
      created = job.CreationTime;
    }
    const { events } = await logs.send(
      new FilterLogEventsCommand({ logGroupName: "/aws/sagemaker/TrainingJobs", logStreamNamePrefix: name, limit: 1 }),
    );
    const first = events?.[0]?.timestamp;
    if (first === undefined || !created) throw new Error(`${name} ended as ${status} without a log line`);
    // CreationTime is in whole milliseconds of the server's clock, as are the agent's line times: one machine, one clock.
    times.push(first - created.getTime());
  }
  await server.stop();
  return times;
}

export async function run(): Promise<readonly BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "salvia-bench-"));
  try {
    const server = await startBenchServer(folder);
    await fill(server);
    await server.stop();
    const starts = await coldStarts(folder);
    const lines = await firstLines(folder);
    const row = (what: string, times: readonly number[], goalMs: number): BenchRow => ({
      what,
      ours: `${median(times).toFixed(0)} ms (${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)})`,
      peer: "",
      ratio: "",
      goal: `≤ ${goalMs} ms`,
      isMet: median(times) <= goalMs,
    });
    return [
      row("spawn → first signed answer, 10,000 rows", starts, 600),
      row("CreateTrainingJob → first line of the algorithm", lines, 500),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
