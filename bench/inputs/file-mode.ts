// File and FastFile mode: one large object, many, and many small ones, from the agent's first word (Downloading) to the program's start (Training), beside
// `cp -r` of the same bytes. The plan, object by object, is part of it. Both share blocks where the file system can (cp's own way).
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import {
  CreateTrainingJobCommand,
  DescribeTrainingJobCommand,
  SageMakerClient,
  StopTrainingJobCommand,
} from "@aws-sdk/client-sagemaker";
import { stream } from "../s3/stream.ts";
import { startBenchServer, type BenchServer } from "../server.ts";
import { signedS3Request } from "../sign.ts";
import { median, type BenchRow } from "../table.ts";
import { trainingRequest } from "../training-request.ts";

const rounds = 3;
interface Data {
  /** In words. */
  readonly what: string;
  readonly bytes: number;
  readonly count: number;
}

const data: readonly Data[] = [
  { what: "2 GB in 1 object", bytes: 2_000_000_000, count: 1 },
  { what: "2 GB in 10,000 objects", bytes: 2_000_000_000, count: 10_000 },
  { what: "100 MB in 20,000 objects", bytes: 100_000_000, count: 20_000 },
];
const bucket = "bench-file-mode";
const role = "arn:aws:iam::000000000000:role/SalviaExecutionRole";
const image = "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1";

/** Smaller objects are rows of the database, and no files to link. */
const isLinked = ({ bytes, count }: Data): boolean => bytes / count > 32_768;

async function upload({ target }: BenchServer, folder: string, { bytes, count }: Data): Promise<void> {
  const left = Array.from({ length: count }, (_, index) => index).values();
  const client = async (): Promise<void> => {
    for (const index of left) {
      const path = `/${bucket}/${folder}/part-${index}`;
      const head = signedS3Request(target, { method: "PUT", path, streamedBytes: bytes / count }, new Date());
      await stream(target, head, bytes / count);
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
}

/** Seconds from Downloading to Training. The program, which finds noise, is stopped or fails: nobody asks. */
async function stagingSeconds(
  sagemaker: SageMakerClient,
  prefix: string,
  name: string,
  mode: "File" | "FastFile" = "File",
): Promise<number> {
  await sagemaker.send(
    new CreateTrainingJobCommand(
      trainingRequest({ name, image, role, bucket, data: `${prefix}/`, mode, volumeGigabytes: 10, maxSeconds: 300 }),
    ),
  );
  let startedAt: number | undefined;
  for (;;) {
    const job = await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: name }));
    const timeOf = (status: string): number | undefined =>
      job.SecondaryStatusTransitions?.find((step) => step.Status === status)?.StartTime?.getTime();
    startedAt ??= timeOf("Training");
    if (startedAt !== undefined && job.TrainingJobStatus === "InProgress")
      await sagemaker.send(new StopTrainingJobCommand({ TrainingJobName: name })).catch(() => undefined);
    if (!["InProgress", "Stopping"].includes(job.TrainingJobStatus ?? "")) {
      const from = timeOf("Downloading");
      if (startedAt === undefined || from === undefined)
        throw new Error(`${name} did not come to its program: ${job.FailureReason}`);
      return (startedAt - from) / 1_000;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function copySeconds(from: string, to: string): number {
  const startedAt = performance.now();
  const { status } = spawnSync("cp", ["-r", from, to], { stdio: "inherit" });
  const taken = (performance.now() - startedAt) / 1_000;
  rmSync(to, { recursive: true, force: true });
  if (status !== 0) throw new Error("cp failed");
  return taken;
}

const sharesBlocks = (base: string): boolean => {
  writeFileSync(join(base, "one"), "x".repeat(8_192));
  return spawnSync("cp", ["--reflink=always", join(base, "one"), join(base, "two")]).status === 0;
};

function writeSources(folder: string, { bytes, count }: Data): void {
  mkdirSync(folder);
  const noise = randomBytes(1_000_000);
  for (let index = 0; index < count; index++) {
    for (let left = bytes / count; left > 0; left -= noise.length)
      writeFileSync(join(folder, `part-${index}`), noise.subarray(0, Math.min(left, noise.length)), { flag: "a" });
  }
}

function rowOf(what: string, ours: readonly number[], theirs: readonly number[], peer: string): BenchRow {
  const ratio = median(theirs) / median(ours);
  return {
    what,
    ours: `${median(ours).toFixed(2)} s`,
    peer: `${median(theirs).toFixed(2)} s (${peer})`,
    ratio: `${ratio.toFixed(2)}×`,
    goal: "≥ 0.7×",
    isMet: ratio >= 0.7,
  };
}

export async function run(): Promise<readonly BenchRow[]> {
  const base = mkdtempSync(join(tmpdir(), "salvia-bench-file-"));
  const server = await startBenchServer(join(base, "data"));
  try {
    const { accessKeyId, secretAccessKey } = server.target;
    const shared = { endpoint: server.url, region: "us-west-2", credentials: { accessKeyId, secretAccessKey } };
    const place = { CreateBucketConfiguration: { LocationConstraint: "us-west-2" as const } };
    await new S3Client({ ...shared, forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: bucket, ...place }));
    const sagemaker = new SageMakerClient(shared);
    const peer = sharesBlocks(base) ? "cp -r, blocks shared" : "cp -r, no reflinks here";
    const rows: BenchRow[] = [];
    for (const each of data) {
      const { what, count } = each;
      const folder = `in-${count}`;
      await upload(server, folder, each);
      writeSources(join(base, folder), each);
      const ours: number[] = [];
      const linked: number[] = [];
      const theirs: number[] = [];
      for (let round = 0; round < rounds; round++) {
        spawnSync("sync");
        theirs.push(copySeconds(join(base, folder), join(base, "copy")));
        spawnSync("sync");
        ours.push(await stagingSeconds(sagemaker, folder, `file-mode-${count}-${round}`));
        if (isLinked(each))
          linked.push(await stagingSeconds(sagemaker, folder, `fast-file-${count}-${round}`, "FastFile"));
      }
      rows.push(rowOf(`File mode: ${what}`, ours, theirs, peer));
      if (isLinked(each)) rows.push(rowOf(`FastFile mode: ${what}`, linked, theirs, peer));
    }
    return rows;
  } finally {
    await server.stop();
    rmSync(base, { recursive: true, force: true });
  }
}
