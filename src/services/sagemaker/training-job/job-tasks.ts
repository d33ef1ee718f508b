// The tasks of a training job: one per instance, with the files and environment of the container contract (developer guide, "How Amazon SageMaker provides training information").
import { createHash } from "node:crypto";
import type { Program, TaskSpec } from "../../../task/task.ts";
import type { SagemakerPlatform } from "../context.ts";
import { regionVariables, taskHead } from "../tasks/task-head.ts";
import type { TaskRow } from "../tasks/task-owner.ts";
import { instanceOf } from "../jobs/job-kind.ts";
import { hostName, jobAddresses } from "../jobs/job-network.ts";
import { checkpointFile, checkpointUploads } from "./checkpoints.ts";
import { inputModeOf } from "./check-support.ts";
import type { TrainingJobSpec } from "./training-job.resource.ts";

const graceSeconds = 120;

export interface JobIdentity {
  readonly uid: string;
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly arn: string;
  readonly spec: TrainingJobSpec;
}

export const instanceCount = (spec: TrainingJobSpec): number => spec.ResourceConfig?.InstanceCount ?? 1;

function inputDataConfig(spec: TrainingJobSpec): object {
  const channels = (spec.InputDataConfig ?? []).map((channel) => [
    channel.ChannelName,
    {
      ...(channel.ContentType === undefined ? {} : { ContentType: channel.ContentType }),
      TrainingInputMode: inputModeOf(spec, channel),
      S3DistributionType: channel.DataSource.S3DataSource?.S3DataDistributionType ?? "FullyReplicated",
      RecordWrapperType: channel.RecordWrapperType ?? "None",
    },
  ]);
  return Object.fromEntries(channels) as object;
}

const hasPipes = (spec: TrainingJobSpec): boolean =>
  (spec.InputDataConfig ?? []).some((channel) => inputModeOf(spec, channel) === "Pipe");

function resourceConfig(spec: TrainingJobSpec, host: string, hosts: readonly string[], program: Program): object {
  const instanceType = spec.ResourceConfig?.InstanceType ?? "";
  const group = "homogeneousCluster";
  return {
    current_host: host,
    current_instance_type: instanceType,
    current_group_name: group,
    hosts,
    instance_groups: [{ instance_group_name: group, instance_type: instanceType, hosts }],
    network_interface_name: program.kind === "image" ? "eth0" : "lo",
  };
}

/** Shared by the instances of one attempt and nobody else; follows from their rows, so a repeated launch finds it again. */
const jobToken = (tasks: readonly TaskRow[]): string =>
  createHash("sha256")
    .update(tasks.map((task) => task.token).join("\n"))
    .digest("base64url");

function environmentOf(job: JobIdentity, host: string, token: string): Record<string, string> {
  return {
    ...job.spec.Environment,
    TRAINING_JOB_NAME: job.name,
    TRAINING_JOB_ARN: job.arn,
    ...regionVariables(job.region),
    CURRENT_HOST: host,
    SALVIA_JOB_TOKEN: token,
  };
}

/** One spec per row, in the rows' order (algo-1 first). */
export function taskSpecs(
  job: JobIdentity,
  tasks: readonly TaskRow[],
  program: Program,
  platform: Pick<SagemakerPlatform, "server">,
): TaskSpec[] {
  const { spec } = job;
  const hosts = tasks.map((task) => hostName(instanceOf(task)));
  const addresses = jobAddresses(job.uid, tasks.length);
  const token = jobToken(tasks);
  const maxRuntimeSeconds = spec.StoppingCondition?.MaxRuntimeInSeconds;
  const volumeGigabytes = spec.ResourceConfig?.VolumeSizeInGB;
  return tasks.map((task) => {
    const host = hostName(instanceOf(task));
    return {
      ...taskHead(platform, task, spec.ResourceConfig?.InstanceType ?? ""),
      purpose: "training",
      program,
      network: { host, addresses, isAlone: spec.EnableNetworkIsolation ?? false },
      environment: environmentOf(job, host, token),
      configFiles: {
        "hyperparameters.json": JSON.stringify(spec.HyperParameters ?? {}),
        "inputdataconfig.json": JSON.stringify(inputDataConfig(spec)),
        ...checkpointFile(spec.CheckpointConfig),
        "resourceconfig.json": JSON.stringify(resourceConfig(spec, host, hosts, program)),
      },
      graceSeconds,
      uploads: checkpointUploads(spec.CheckpointConfig),
      ...(hasPipes(spec) ? { hasPipes: true } : {}),
      ...(volumeGigabytes === undefined ? {} : { diskBytes: volumeGigabytes * 2 ** 30 }),
      ...(maxRuntimeSeconds === undefined ? {} : { maxRuntimeSeconds }),
    };
  });
}
