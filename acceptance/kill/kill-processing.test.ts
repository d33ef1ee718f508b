// Processing and batch transform live through kill -9: outputs are whole, each record is in them once, and what was done stays done.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateModelCommand,
  CreateProcessingJobCommand,
  CreateTransformJobCommand,
  DescribeProcessingJobCommand,
  DescribeTransformJobCommand,
} from "@aws-sdk/client-sagemaker";
import { expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { gateFunction } from "./gates.ts";
import { noPrograms, RoleArn, scikitImage, strikes, Struck, timeout, titled } from "./struck.ts";

const instances = 2;
const names = ["a", "b", "c", "d"];

/** Each instance has its share of the files; what it has done of them is stored while it runs, the rest at its end. */
const processing = `${gateFunction}
import json
host = json.load(open("/opt/ml/config/resourceconfig.json"))["current_host"]
base = "/opt/ml/processing/"
names = sorted(os.listdir(base + "in"))
for at, name in enumerate(names):
    with open(base + "in/" + name) as file: text = file.read()
    with open(base + "flow/" + name, "w") as file: file.write(text * 2)
    print("did", name, flush=True)
    gate("after-" + str(at))
with open(base + "end/" + host, "w") as file: file.write(" ".join(names))
with open("/opt/ml/output/message", "w") as file: file.write(host + " is through. ")
`;

async function startProcessing(struck: Struck): Promise<void> {
  for (const name of names) await struck.put(`in/${name}`, `${name} and `);
  await struck.put("code/process.py", processing);
  const from = (name: string, prefix: string, S3DataDistributionType: "FullyReplicated" | "ShardedByS3Key") => ({
    InputName: name,
    S3Input: {
      S3Uri: struck.uri(prefix),
      S3DataType: "S3Prefix" as const,
      S3InputMode: "File" as const,
      S3DataDistributionType,
      LocalPath: `/opt/ml/processing/${name}`,
    },
  });
  const to = (name: string, S3UploadMode: "Continuous" | "EndOfJob") => ({
    OutputName: name,
    S3Output: { S3Uri: struck.uri(`processed/${name}`), LocalPath: `/opt/ml/processing/${name}`, S3UploadMode },
  });
  await struck.clients.sagemaker.send(
    new CreateProcessingJobCommand({
      ProcessingJobName: "processing",
      RoleArn,
      AppSpecification: {
        ImageUri: scikitImage,
        ContainerEntrypoint: ["python3", "/opt/ml/processing/code/process.py"],
      },
      ProcessingInputs: [from("in", "in/", "ShardedByS3Key"), from("code", "code/", "FullyReplicated")],
      ProcessingOutputConfig: { Outputs: [to("flow", "Continuous"), to("end", "EndOfJob")] },
      ProcessingResources: {
        ClusterConfig: { InstanceCount: instances, InstanceType: "ml.m5.large", VolumeSizeInGB: 1 },
      },
    }),
  );
}

test.skipIf(noPrograms !== undefined)(
  titled(`a processing job on ${instances} instances lives through kill -9 of ${strikes.join(", and of ")}`),
  { timeout },
  async () => {
    const struck = await Struck.start();
    await startProcessing(struck);
    for (const [at, target] of strikes.entries()) {
      await struck.gates.reached(`after-${at}`, instances);
      // Stored while it runs, so that the kill comes between what is stored and what is not.
      await eventually(`flow of step ${at}`, async () =>
        (await struck.keys("processed/flow")).length === instances * (at + 1) ? true : undefined,
      );
      expect(await struck.keys("processed/end")).toEqual([]);
      const agents = await struck.strike(target, () => struck.gates.open(`after-${at}`));
      expect(agents).toBe(target === "the server alone" ? 0 : instances);
    }
    const job = await eventually("the job to end", async () => {
      const input = { ProcessingJobName: "processing" };
      const found = await struck.clients.sagemaker.send(new DescribeProcessingJobCommand(input));
      return found.ProcessingJobStatus === "InProgress" ? undefined : found;
    });
    expect([job.ProcessingJobStatus, job.FailureReason]).toEqual(["Completed", undefined]);
    expect(job.ExitMessage?.match(/algo-\d is through/g)?.sort()).toEqual(["algo-1 is through", "algo-2 is through"]);
    expect(await struck.keys("processed/")).toEqual([
      "processed/end/algo-1",
      "processed/end/algo-2",
      ...names.map((name) => `processed/flow/${name}`),
    ]);
    for (const name of names) expect(await struck.text(`processed/flow/${name}`)).toBe(`${name} and `.repeat(2));
    const shares = [await struck.text("processed/end/algo-1"), await struck.text("processed/end/algo-2")];
    expect(shares.join(" ").split(" ").sort()).toEqual(names);
    const told = await struck.lines("/aws/sagemaker/ProcessingJobs", "processing/");
    expect(told.filter((line) => line.startsWith("did")).sort()).toEqual(names.map((name) => `did ${name}`));
    await struck.isClean();
  },
);

const records = 20;
const recordOf = (name: string, at: number): string => `${name}${at}`;
const gateAt = records / 2;
const recordsOf = (name: string): string[] => Array.from({ length: records }, (_, at) => recordOf(name, at));

/** Says which records it sees. The objects b and c have a gate in their middle. */
const inference = `${gateFunction}
def model_fn(folder):
    print("loaded", flush=True)
    return None
def transform_fn(model, data, content_type, accept):
    record = (data.decode() if isinstance(data, bytes) else data).strip()
    print("saw", record, flush=True)
    if record in ("b${gateAt}", "c${gateAt}"): gate(record)
    return record.upper(), accept
`;

function modelArchive(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "salvia-kill-capitals-"));
  try {
    mkdirSync(join(folder, "code"));
    writeFileSync(join(folder, "code", "inference.py"), inference);
    const { status, stderr } = spawnSync("tar", ["-czf", "model.tar.gz", "code"], { cwd: folder });
    expect(status, String(stderr)).toBe(0);
    return readFileSync(join(folder, "model.tar.gz"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startTransform(struck: Struck): Promise<void> {
  for (const name of names) await struck.put(`lines/${name}`, `${recordsOf(name).join("\n")}\n`);
  await struck.put("models/capitals.tar.gz", modelArchive());
  await struck.clients.sagemaker.send(
    new CreateModelCommand({
      ModelName: "capitals",
      ExecutionRoleArn: RoleArn,
      PrimaryContainer: {
        Image: scikitImage,
        ModelDataUrl: struck.uri("models/capitals.tar.gz"),
        Environment: { SAGEMAKER_MODEL_SERVER_WORKERS: "1" },
      },
    }),
  );
  await struck.clients.sagemaker.send(
    new CreateTransformJobCommand({
      TransformJobName: "transform",
      ModelName: "capitals",
      BatchStrategy: "SingleRecord",
      MaxConcurrentTransforms: 1,
      TransformInput: {
        DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: struck.uri("lines/") } },
        ContentType: "text/plain",
        SplitType: "Line",
      },
      TransformOutput: { S3OutputPath: struck.uri("capitals"), Accept: "text/plain", AssembleWith: "Line" },
      TransformResources: { InstanceType: "ml.m5.large", InstanceCount: 1 },
    }),
  );
}

test.skipIf(noPrograms !== undefined)(
  titled(
    `a transform job lives through kill -9 of ${strikes.join(", and of ")}, and begins only the object under way again`,
  ),
  { timeout },
  async () => {
    const struck = await Struck.start();
    await startTransform(struck);
    for (const [name, target] of [
      ["b", "the server alone"],
      ["c", "the server and all its agents"],
    ] as const) {
      await struck.gates.reached(recordOf(name, gateAt));
      const agents = await struck.strike(target, () => struck.gates.open(recordOf(name, gateAt)));
      expect(agents).toBe(target === "the server alone" ? 0 : 1);
    }
    const job = await eventually("the job to end", async () => {
      const input = { TransformJobName: "transform" };
      const found = await struck.clients.sagemaker.send(new DescribeTransformJobCommand(input));
      return found.TransformJobStatus === "InProgress" ? undefined : found;
    });
    expect([job.TransformJobStatus, job.FailureReason]).toEqual(["Completed", undefined]);
    expect(await struck.keys("capitals/")).toEqual(names.map((name) => `capitals/${name}.out`));
    for (const name of names) {
      const capitals = recordsOf(name).map((record) => `${record.toUpperCase()}\n`);
      expect(await struck.text(`capitals/${name}.out`)).toBe(capitals.join(""));
    }
    const lines = await struck.lines("/aws/sagemaker/TransformJobs", "transform/");
    const seen = (name: string): string[] => lines.filter((line) => line.startsWith(`saw ${name}`));
    expect(lines.filter((line) => line === "loaded")).toHaveLength(1);
    const all = (name: string): string[] => recordsOf(name).map((record) => `saw ${record}`);
    for (const name of ["a", "d"]) expect(seen(name)).toEqual(all(name));
    // Those that were under way are begun again: the model sees their records again, the output has them once.
    for (const name of ["b", "c"]) expect(seen(name)).toEqual([...all(name).slice(0, gateAt + 1), ...all(name)]);
    await struck.isClean();
  },
);
