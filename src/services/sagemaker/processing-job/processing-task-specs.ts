// The tasks of a processing job: one per instance, with the files and environment that the developer guide names ("How Amazon SageMaker
// Processing Configures Your Processing Container").
import { findFramework, pythonNeeds } from "../../../compute/frameworks/find-framework.ts";
import type { Program, TaskSpec } from "../../../task/task.ts";
import type { UploadFolder } from "../../../task/upload-folder.ts";
import { containerProgram, isContainerHere } from "../container-program.ts";
import { defaultRuntimeSeconds, instanceOf, type Job, type JobPlatform } from "../jobs/job-kind.ts";
import { hostName, jobAddresses } from "../jobs/job-network.ts";
import { regionVariables, taskHead } from "../tasks/task-head.ts";
import type { TaskRow } from "../tasks/task-owner.ts";
import { isPiped, processingFolder } from "./processing-folders.ts";
import { processingJob, type ProcessingJobSpec } from "./processing-job.resource.ts";

type ProcessingJob = Job<ProcessingJobSpec>;

const graceSeconds = 120;

async function programOf(platform: JobPlatform, { account, region, spec }: ProcessingJob): Promise<Program> {
  const {
    ImageUri: image,
    ContainerEntrypoint: entrypoint = [],
    ContainerArguments: given = [],
  } = spec.AppSpecification;
  const wish = { image, account, region, roleArn: spec.RoleArn };
  const found = findFramework(image);
  // Without an entrypoint only the image knows what to run.
  if (found && entrypoint.length > 0 && !(await isContainerHere(platform, wish)))
    return { kind: "command", argv: [...entrypoint, ...given], python: pythonNeeds(found, platform.isFrameworkStrict) };
  return containerProgram(platform, {
    ...wish,
    instanceType: spec.ProcessingResources.ClusterConfig.InstanceType ?? "",
    ...(entrypoint.length > 0 ? { entrypoint } : {}),
    arguments: given,
  });
}

/** The folders whose files the agent stores; the names stand in its routes. */
export const uploadsOf = (spec: ProcessingJobSpec): UploadFolder[] =>
  (spec.ProcessingOutputConfig?.Outputs ?? []).flatMap(({ S3Output, AppManaged }, at) => {
    const folder = processingFolder(S3Output?.LocalPath ?? "");
    if (!S3Output || AppManaged === true || folder === undefined) return [];
    return [{ name: `output-${at}`, folder, mode: S3Output.S3UploadMode }];
  });

/** The request as the container reads it: what is optional stands there, empty or null. */
function jobConfig(job: ProcessingJob): Readonly<Record<string, unknown>> {
  const { AppSpecification, ProcessingOutputConfig, ProcessingResources, ...others } = job.spec;
  return {
    ProcessingJobArn: processingJob.arn(job),
    Environment: {},
    ProcessingInputs: [],
    ...others,
    ProcessingJobName: job.name,
    AppSpecification: { ContainerEntrypoint: null, ContainerArguments: null, ...AppSpecification },
    ProcessingOutputConfig: { Outputs: [], KmsKeyId: null, ...ProcessingOutputConfig },
    ProcessingResources: { ClusterConfig: { VolumeKmsKeyId: null, ...ProcessingResources.ClusterConfig } },
  };
}

function configFiles(
  job: ProcessingJob,
  host: string,
  hosts: readonly string[],
  program: Program,
): Record<string, string> {
  const network_interface_name = program.kind === "image" ? "eth0" : "lo";
  return {
    "processingjobconfig.json": JSON.stringify(jobConfig(job)),
    "resourceconfig.json": JSON.stringify({ current_host: host, hosts, network_interface_name }),
  };
}

const environmentOf = (job: ProcessingJob): Record<string, string> => ({
  ...job.spec.Environment,
  PROCESSING_JOB_NAME: job.name,
  PROCESSING_JOB_ARN: processingJob.arn(job),
  ...regionVariables(job.region),
});

export const processingTaskSpecs =
  (platform: JobPlatform) =>
  async (job: ProcessingJob, tasks: readonly TaskRow[]): Promise<TaskSpec[]> => {
    const { uid, spec } = job;
    const program = await programOf(platform, job);
    const addresses = jobAddresses(uid, tasks.length);
    const hosts = tasks.map((task) => hostName(instanceOf(task)));
    return tasks.map((task) => {
      const host = hostName(instanceOf(task));
      return {
        ...taskHead(platform, task, spec.ProcessingResources.ClusterConfig.InstanceType ?? ""),
        purpose: "processing",
        program,
        network: { host, addresses, isAlone: spec.NetworkConfig?.EnableNetworkIsolation ?? false },
        environment: environmentOf(job),
        configFolder: "config",
        configFiles: configFiles(job, host, hosts, program),
        uploads: uploadsOf(spec),
        ...((spec.ProcessingInputs ?? []).some(isPiped) ? { hasPipes: true } : {}),
        diskBytes: spec.ProcessingResources.ClusterConfig.VolumeSizeInGB * 2 ** 30,
        graceSeconds,
        maxRuntimeSeconds: spec.StoppingCondition?.MaxRuntimeInSeconds ?? defaultRuntimeSeconds,
      };
    });
  };
