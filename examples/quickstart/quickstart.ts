// `npm run quickstart`: starts Salvia and, as a plain AWS client, trains, deploys and calls k-means on MNIST digits.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  CreateTrainingJobCommand,
  DescribeEndpointCommand,
  DescribeTrainingJobCommand,
  SageMakerClient,
  type DescribeTrainingJobResponse,
} from "@aws-sdk/client-sagemaker";
import { InvokeEndpointCommand, SageMakerRuntimeClient } from "@aws-sdk/client-sagemaker-runtime";
import { encodeRecord } from "../../src/formats/record-protobuf.ts";
import { encodeRecordIo } from "../../src/formats/recordio.ts";
import { loadDigits, width, type Digit } from "./digits.ts";
import { gallery } from "./picture.ts";
import { startServer, type Server } from "./server.ts";

const bucket = "salvia-quickstart";
const name = `quickstart-${new Date().toISOString().slice(0, 19).replace(/\D/g, "-")}`;
const image = "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1";
const role = "arn:aws:iam::000000000000:role/SalviaExecutionRole";
const region = "us-west-2";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const isTerminal = process.stdout.isTTY;
/** Overwrites itself on a terminal, and stays quiet in a log. */
const progress = (line: string): void => void (isTerminal && process.stdout.write(`\r\u001b[K  ${line}`));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const phases: { readonly phase: string; readonly seconds: number }[] = [];
async function phase<T>(title: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  progress(`${title} …`);
  const value = await work();
  const seconds = (performance.now() - startedAt) / 1_000;
  phases.push({ phase: title, seconds });
  progress("");
  if (isTerminal) process.stdout.write("\r");
  say(`✓ ${title.padEnd(46)} ${seconds.toFixed(2).padStart(6)} s`);
  return value;
}

const recordIo = (digits: readonly Digit[]): Buffer =>
  Buffer.concat(
    digits.map(({ pixels }) =>
      encodeRecordIo(encodeRecord({ features: new Map([["values", { type: "float32" as const, values: pixels }]]) })),
    ),
  );

interface Clients {
  readonly s3: S3Client;
  readonly sagemaker: SageMakerClient;
  readonly runtime: SageMakerRuntimeClient;
}

async function upload({ s3 }: Clients, train: readonly Digit[], heldOut: readonly Digit[]): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: region } }));
  const put = (key: string, digits: readonly Digit[]): Promise<unknown> =>
    s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: recordIo(digits) }));
  await put("digits/train/part-0.pbr", train.slice(0, train.length / 2));
  await put("digits/train/part-1.pbr", train.slice(train.length / 2));
  await put("digits/test/held-out.pbr", heldOut);
}

const channel = (channelName: string, distribution: "ShardedByS3Key" | "FullyReplicated") => ({
  ChannelName: channelName,
  ContentType: "application/x-recordio-protobuf",
  DataSource: {
    S3DataSource: {
      S3DataType: "S3Prefix" as const,
      S3Uri: `s3://${bucket}/digits/${channelName}`,
      S3DataDistributionType: distribution,
    },
  },
});

async function train({ sagemaker }: Clients): Promise<DescribeTrainingJobResponse> {
  await sagemaker.send(
    new CreateTrainingJobCommand({
      TrainingJobName: name,
      AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: "File" },
      RoleArn: role,
      HyperParameters: { k: "10", feature_dim: String(width), mini_batch_size: "500", eval_metrics: '["msd"]' },
      InputDataConfig: [channel("train", "ShardedByS3Key"), channel("test", "FullyReplicated")],
      OutputDataConfig: { S3OutputPath: `s3://${bucket}/output` },
      ResourceConfig: { InstanceCount: 2, InstanceType: "ml.c5.xlarge", VolumeSizeInGB: 10 },
      StoppingCondition: { MaxRuntimeInSeconds: 600 },
    }),
  );
  let shown = 0;
  for (;;) {
    const job = await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: name }));
    const steps = job.SecondaryStatusTransitions ?? [];
    for (const step of steps.slice(shown)) {
      progress("");
      say(`${isTerminal ? "\r" : ""}    ${step.Status}: ${step.StatusMessage}`);
    }
    shown = steps.length;
    progress(`${steps.at(-1)?.Status}: ${steps.at(-1)?.StatusMessage}`);
    if (job.TrainingJobStatus === "Completed") return job;
    if (job.TrainingJobStatus !== "InProgress")
      throw new Error(`the training job ended as ${job.TrainingJobStatus}: ${job.FailureReason}`);
    await pause(50);
  }
}

async function deploy({ sagemaker }: Clients, modelDataUrl: string): Promise<void> {
  await sagemaker.send(
    new CreateModelCommand({
      ModelName: name,
      ExecutionRoleArn: role,
      PrimaryContainer: { Image: image, ModelDataUrl: modelDataUrl },
    }),
  );
  await sagemaker.send(
    new CreateEndpointConfigCommand({
      EndpointConfigName: name,
      ProductionVariants: [
        { VariantName: "AllTraffic", ModelName: name, InitialInstanceCount: 1, InstanceType: "ml.m5.xlarge" },
      ],
    }),
  );
  await sagemaker.send(new CreateEndpointCommand({ EndpointName: name, EndpointConfigName: name }));
  for (;;) {
    const endpoint = await sagemaker.send(new DescribeEndpointCommand({ EndpointName: name }));
    if (endpoint.EndpointStatus === "InService") return;
    if (endpoint.EndpointStatus === "Failed") throw new Error(`the endpoint failed: ${endpoint.FailureReason}`);
    await pause(50);
  }
}

/** The cluster of every digit, asked for in batches of 100 CSV lines. */
async function ask({ runtime }: Clients, digits: readonly Digit[]): Promise<number[]> {
  const clusters: number[] = [];
  for (let at = 0; at < digits.length; at += 100) {
    const lines = digits.slice(at, at + 100).map(({ pixels }) => pixels.join(","));
    const answer = await runtime.send(
      new InvokeEndpointCommand({
        EndpointName: name,
        ContentType: "text/csv",
        Accept: "application/json",
        Body: lines.join("\n"),
      }),
    );
    const { predictions } = JSON.parse(new TextDecoder().decode(answer.Body)) as {
      predictions: { closest_cluster: number }[];
    };
    clusters.push(...predictions.map((prediction) => prediction.closest_cluster));
    progress(`${clusters.length} of ${digits.length} digits`);
  }
  return clusters;
}

/** Prints what each cluster holds; returns the share of digits that are the commonest of their cluster. */
function showClusters(digits: readonly Digit[], clusters: readonly number[]): number {
  const counts = Array.from({ length: 10 }, () => Array.from({ length: 10 }, () => 0));
  const means = Array.from({ length: 10 }, () => new Float32Array(width));
  for (const [at, digit] of digits.entries()) {
    const cluster = clusters[at] ?? 0;
    const row = counts[cluster];
    const mean = means[cluster];
    if (!row || !mean) throw new Error(`the endpoint answered cluster ${cluster}, and there are 10`);
    row[digit.label] = (row[digit.label] ?? 0) + 1;
    for (let pixel = 0; pixel < width; pixel++) mean[pixel] = (mean[pixel] ?? 0) + (digit.pixels[pixel] ?? 0);
  }
  let right = 0;
  const pictures = counts.map((row, cluster) => {
    const size = row.reduce((sum, count) => sum + count, 0);
    const most = Math.max(...row);
    right += most;
    const pixels = (means[cluster] ?? new Float32Array(width)).map((sum) => sum / Math.max(size, 1));
    return { caption: `mostly ${row.indexOf(most)} (${most} of ${size})`, pixels };
  });
  say("\nThe ten clusters: the mean of the held-out digits that the endpoint put into each\n");
  say(gallery(pictures, 5));
  return right / digits.length;
}

function nextSteps(server: Server, isKept: boolean, dataFolder: string): void {
  say("\nWhat to try next");
  if (isKept) {
    say(
      `  The server goes on at ${server.url} (process ${server.process.pid}; \`kill ${server.process.pid}\` ends it).`,
    );
    say(
      `  eval "$(npm run --silent salvia -- env --data ${dataFolder})"     # then any AWS client in this shell talks to Salvia:`,
    );
    say("  aws sagemaker list-training-jobs");
    say(`  aws logs filter-log-events --log-group-name /aws/sagemaker/TrainingJobs --log-stream-name-prefix ${name}`);
  } else {
    say("  npm run quickstart -- --keep        the same, and the server goes on with the endpoint up");
    say("  npm start                           an empty Salvia on http://127.0.0.1:7243");
    say('  eval "$(npm run --silent salvia -- env)"     points every AWS client of this shell at it');
  }
  say("  README.md                           boto3, the SageMaker SDK and the aws CLI, line by line");
}

async function main(): Promise<void> {
  const isKept = process.argv.includes("--keep");
  say("Salvia quickstart: train, deploy and call k-means on handwritten digits\n");
  const dataFolder = mkdtempSync(join(tmpdir(), "salvia-quickstart-"));
  const digits = loadDigits();
  const server = await phase("Start Salvia", () => startServer(dataFolder, isKept, isKept ? 7243 : 0));
  try {
    const shared = { endpoint: server.url, region, credentials: server.credentials };
    const clients: Clients = {
      s3: new S3Client({ ...shared, forcePathStyle: true }),
      sagemaker: new SageMakerClient(shared),
      runtime: new SageMakerRuntimeClient(shared),
    };
    await phase("Upload 8,000 digits to S3 as RecordIO-protobuf", () => upload(clients, digits.train, digits.heldOut));
    const job = await phase("Train k-means (k = 10) on 2 instances", () => train(clients));
    await phase("Create model, endpoint configuration, endpoint", () =>
      deploy(clients, job.ModelArtifacts?.S3ModelArtifacts ?? ""),
    );
    const clusters = await phase("Ask the endpoint about 1,000 held-out digits", () => ask(clients, digits.heldOut));
    const purity = showClusters(digits.heldOut, clusters);
    const msd = job.FinalMetricDataList?.find((metric) => metric.MetricName === "test:msd")?.Value;
    say(
      `\npurity    ${purity.toFixed(3)}   share of digits that are the commonest of their cluster (chance: about 0.11)`,
    );
    say(`test:msd  ${msd?.toFixed(3)}  mean squared distance of a held-out digit to its centre`);
    say(`total     ${phases.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(1)} s`);
    if (purity < 0.55) throw new Error(`purity ${purity.toFixed(3)} is below 0.55: something is wrong with this run`);
    nextSteps(server, isKept, dataFolder);
    for (const client of Object.values(clients)) (client as S3Client).destroy();
  } catch (error) {
    await server.stop();
    throw error;
  }
  if (isKept) {
    server.process.unref();
    return;
  }
  await server.stop();
  rmSync(dataFolder, { recursive: true, force: true });
}

await main();
