// Training jobs that run a script of the bucket, and how they ended.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateTrainingJobCommand,
  DescribeTrainingJobCommand,
  type Channel,
  type CreateTrainingJobRequest,
  type DescribeTrainingJobResponse,
  type TrainingInputMode,
} from "@aws-sdk/client-sagemaker";
import { eventually } from "./eventually.ts";
import { RoleArn, scikitImage, type Struck } from "./struck.ts";

export const trainingLogs = "/aws/sagemaker/TrainingJobs";

export const channel = (struck: Struck, name: string, prefix: string, InputMode?: TrainingInputMode): Channel => ({
  ChannelName: name,
  DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: struck.uri(prefix) } },
  ...(InputMode && { InputMode }),
});

/** Runs `script` as its entrypoint; what the changes say goes before. */
export async function train(
  struck: Struck,
  name: string,
  script: string | undefined,
  changes: Partial<CreateTrainingJobRequest> = {},
): Promise<void> {
  const { InputDataConfig = [], ...others } = changes;
  const code = script === undefined ? [] : [channel(struck, "code", `code/${name}/`)];
  if (script !== undefined) await struck.put(`code/${name}/run.py`, script);
  await struck.clients.sagemaker.send(
    new CreateTrainingJobCommand({
      TrainingJobName: name,
      RoleArn,
      AlgorithmSpecification: {
        TrainingImage: scikitImage,
        TrainingInputMode: "File",
        ContainerEntrypoint: ["python3", "-u", "/opt/ml/input/data/code/run.py"],
      },
      InputDataConfig: [...InputDataConfig, ...code],
      OutputDataConfig: { S3OutputPath: struck.uri("output") },
      ResourceConfig: { InstanceCount: 1, InstanceType: "ml.m5.large", VolumeSizeInGB: 5 },
      StoppingCondition: { MaxRuntimeInSeconds: 600 },
      ...others,
    }),
  );
}

export const described = ({ clients }: Struck, TrainingJobName: string): Promise<DescribeTrainingJobResponse> =>
  clients.sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName }));

export const trained = (struck: Struck, name: string): Promise<DescribeTrainingJobResponse> =>
  eventually(`${name} to end`, async () => {
    const job = await described(struck, name);
    return job.TrainingJobStatus === "InProgress" || job.TrainingJobStatus === "Stopping" ? undefined : job;
  });

export const walkOf = (job: DescribeTrainingJobResponse): (string | undefined)[] =>
  (job.SecondaryStatusTransitions ?? []).map(({ Status }) => Status);

/** name → text of the files of a job's model, unpacked by tar. */
export async function modelOf(struck: Struck, name: string): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), "salvia-kill-model-"));
  try {
    const input = await struck.bytes(`output/${name}/output/model.tar.gz`);
    const { status, stderr } = spawnSync("tar", ["-xzf", "-", "-C", folder], { input, encoding: "utf8" });
    if (status !== 0) throw new Error(`the model of ${name} is no archive: ${stderr}`);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    return Object.fromEntries(files.map((file) => [file.name, readFileSync(join(file.parentPath, file.name), "utf8")]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
