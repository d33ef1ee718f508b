// What is a processing job's own on its way to its end: its plan and its tasks.
import type { AnyReconciler } from "../../../engine/reconciler.ts";
import { rowKind } from "../../resource-definition.ts";
import { planChannels, type JobPlanLine } from "../channels/channel-planner.ts";
import { meterProcessing } from "../cost/job-meters.ts";
import { JobProblem, type Job, type JobPlatform } from "../jobs/job-kind.ts";
import { jobReconciler } from "../jobs/job-reconciler.ts";
import { accessOf, bucketToWrite } from "../role-access.ts";
import { inFolder, parseS3Uri } from "../s3-uri.ts";
import { inputFolder } from "./processing-folders.ts";
import { processingJob, type ProcessingJobSpec } from "./processing-job.resource.ts";
import { processingTaskSpecs } from "./processing-task-specs.ts";

const stopGraceSeconds = 120;

/** Better before the job than after. */
async function checkOutputs({ roles }: JobPlatform, { spec, region }: Job<ProcessingJobSpec>): Promise<void> {
  for (const { OutputName, S3Output } of spec.ProcessingOutputConfig?.Outputs ?? []) {
    const folder = parseS3Uri(S3Output?.S3Uri ?? "");
    if (!folder) continue;
    const { problem } = await bucketToWrite(accessOf(roles, spec.RoleArn, region), inFolder(folder, "x"));
    if (problem !== undefined) throw new JobProblem(`ClientError: Output "${OutputName}": ${problem}`);
  }
}

const planFor = (platform: JobPlatform) =>
  async function* (job: Job<ProcessingJobSpec>): AsyncGenerator<JobPlanLine> {
    const { account, region, spec } = job;
    await checkOutputs(platform, job);
    const access = accessOf(platform.roles, spec.RoleArn, region);
    const scope = { objects: platform.objects, access, account, region, roleArn: spec.RoleArn };
    // A folder inside of another is made after it, since each is emptied first.
    const inputs = (spec.ProcessingInputs ?? []).toSorted((a, b) => inputFolder(a).length - inputFolder(b).length);
    const channels = inputs.flatMap(({ InputName, S3Input }) => {
      if (!S3Input) return [];
      const { S3Uri, S3DataType, S3DataDistributionType = "FullyReplicated", S3CompressionType = "None" } = S3Input;
      const source = { S3Uri, S3DataType, S3DataDistributionType };
      return [{ ChannelName: InputName, CompressionType: S3CompressionType, DataSource: { S3DataSource: source } }];
    });
    yield* planChannels(scope, channels);
  };

export const processingJobReconciler = (platform: JobPlatform): AnyReconciler =>
  jobReconciler<ProcessingJobSpec>(platform, {
    kind: rowKind(processingJob),
    instanceCount: (spec) => spec.ProcessingResources.ClusterConfig.InstanceCount ?? 1,
    meter: meterProcessing,
    stopGraceSeconds,
    plan: planFor(platform),
    taskSpecs: processingTaskSpecs(platform),
  });
