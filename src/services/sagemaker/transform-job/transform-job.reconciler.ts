// What is a transform job's own on its way to its end: its plan and its tasks.
import { rowKind } from "../../resource-definition.ts";
import type { AnyReconciler } from "../../../engine/reconciler.ts";
import type { TaskSpec } from "../../../task/task.ts";
import { planChannels, type JobPlanLine, type PlannedFile } from "../channels/channel-planner.ts";
import { meterTransform } from "../cost/job-meters.ts";
import { JobProblem, type Job, type JobPlatform } from "../jobs/job-kind.ts";
import { hostName, jobAddresses } from "../jobs/job-network.ts";
import { jobReconciler } from "../jobs/job-reconciler.ts";
import { findModelData } from "../model/find-model-data.ts";
import { accessOf, bucketToWrite } from "../role-access.ts";
import { inFolder, parseS3Uri } from "../s3-uri.ts";
import { servingProgram } from "../serving-program.ts";
import { regionVariables, taskHead } from "../tasks/task-head.ts";
import type { TaskRow } from "../tasks/task-owner.ts";
import { transformJob, type TransformJobSpec } from "./transform-job.resource.ts";
import { transformWorkOf } from "./transform-work-of.ts";

type TransformJob = Job<TransformJobSpec>;
type Variables = Readonly<Record<string, string>>;

const strategyNames = { SingleRecord: "SINGLE_RECORD", MultiRecord: "MULTI_RECORD" } as const;

/** As for models that are hosted. */
const graceSeconds = 30;

/** The channel of the objects that are transformed. */
export const inputChannel = "transform";

async function modelFile(
  platform: JobPlatform,
  { account, region, spec }: TransformJob,
): Promise<PlannedFile | undefined> {
  const { modelData: uri, roleArn } = spec.model;
  if (uri === undefined) return undefined;
  const found = await findModelData(platform, { account, region, roleArn, uri });
  if (found === "denied" || !found)
    throw new JobProblem(
      `ClientError: Failed to download model data from URL "${uri}". Please ensure that there is an object located at the URL and that the role "${roleArn}" has "s3:GetObject" permissions on it.`,
    );
  return { path: "model.tar.gz", sizeBytes: found.sizeBytes, blobId: found.blobId, key: found.key };
}

/** Better before the job than after. */
async function checkOutput({ roles }: JobPlatform, { spec, region }: TransformJob): Promise<void> {
  const folder = parseS3Uri(spec.TransformOutput.S3OutputPath);
  if (!folder) throw new JobProblem(`ClientError: "${spec.TransformOutput.S3OutputPath}" is no S3 URI.`);
  const { problem } = await bucketToWrite(accessOf(roles, spec.model.roleArn, region), inFolder(folder, "x.out"));
  if (problem !== undefined) throw new JobProblem(`ClientError: ${problem}`);
}

const planFor = (platform: JobPlatform) =>
  async function* (job: TransformJob): AsyncGenerator<JobPlanLine> {
    const { objects, roles } = platform;
    const { account, region, spec } = job;
    const { roleArn } = spec.model;
    await checkOutput(platform, job);
    const file = await modelFile(platform, job);
    const scope = { objects, access: accessOf(roles, roleArn, region), account, region, roleArn };
    const { DataSource, CompressionType } = spec.TransformInput;
    const source = { ...DataSource.S3DataSource, S3DataDistributionType: "ShardedByS3Key" } as const;
    if (file) yield { model: file };
    yield* planChannels(scope, [
      {
        ChannelName: inputChannel,
        DataSource: { S3DataSource: source },
        ...(CompressionType === undefined ? {} : { CompressionType }),
      },
    ]);
  };

/** Only what the request says: what it leaves open the model may decide, or need not know. */
function batchVariables({ MaxPayloadInMB, BatchStrategy, MaxConcurrentTransforms }: TransformJobSpec): Variables {
  return {
    SAGEMAKER_BATCH: "true",
    ...(MaxPayloadInMB === undefined ? {} : { SAGEMAKER_MAX_PAYLOAD_IN_MB: String(MaxPayloadInMB) }),
    ...(BatchStrategy === undefined ? {} : { SAGEMAKER_BATCH_STRATEGY: strategyNames[BatchStrategy] }),
    ...(MaxConcurrentTransforms ? { SAGEMAKER_MAX_CONCURRENT_TRANSFORMS: String(MaxConcurrentTransforms) } : {}),
  };
}

const environmentOf = (job: TransformJob): Variables => ({
  ...job.spec.model.environment,
  ...batchVariables(job.spec),
  ...regionVariables(job.region),
  TRANSFORM_JOB_NAME: job.name,
  TRANSFORM_JOB_ARN: transformJob.arn(job),
});

const specsFor =
  (platform: JobPlatform) =>
  async (job: TransformJob, tasks: readonly TaskRow[]): Promise<TaskSpec[]> => {
    const { account, region, spec } = job;
    const instanceType = spec.TransformResources.InstanceType;
    const program = await servingProgram({ ...spec.model, account, region, instanceType }, platform);
    return tasks.map((task) => ({
      ...taskHead(platform, task, instanceType),
      purpose: "transform",
      program,
      // Instances of a transform do not know each other.
      network: { host: hostName(1), addresses: jobAddresses(task.key, 1), isAlone: spec.model.isAlone },
      environment: environmentOf(job),
      configFiles: {},
      transform: transformWorkOf(spec),
      graceSeconds,
    }));
  };

export const transformJobReconciler = (platform: JobPlatform): AnyReconciler =>
  jobReconciler<TransformJobSpec>(platform, {
    kind: rowKind(transformJob),
    instanceCount: (spec) => spec.TransformResources.InstanceCount,
    meter: meterTransform,
    stopGraceSeconds: graceSeconds,
    areIndependent: true,
    plan: planFor(platform),
    taskSpecs: specsFor(platform),
  });
