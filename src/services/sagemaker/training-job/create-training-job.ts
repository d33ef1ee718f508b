// CreateTrainingJob: the rules that the model cannot express, then one row for the reconciler.
import type { AlgorithmSpecification, Channel, CreateTrainingJobRequest } from "../../../models/generated/sagemaker.ts";
import { validationError } from "../../../lib/aws-error.ts";
import { fileSystemProblem } from "../channels/file-systems.ts";
import { operation, type SagemakerContext } from "../context.ts";
import { checkInstances, inLine, type Instances } from "../jobs/job-instances.ts";
import { defaultRuntimeSeconds } from "../jobs/job-kind.ts";
import { checkExecutionRole } from "../execution-role.ts";
import { parseS3Uri } from "../s3-uri.ts";
import { checkNewTags } from "../tags/tag-rules.ts";
import { checkSupport } from "./check-support.ts";
import { knownMetrics } from "./known-metrics.ts";
import { checkWarmPool } from "./warm-pool.ts";
import { checkSpot } from "./spot.ts";
import { statusAtStart, trainingJob, type TrainingJobSpec } from "./training-job.resource.ts";
import { checkMetrics, trainingProgram, type TrainingProgram } from "./training-program.ts";

/** Of one job, says the model. */
const maxDefinitions = 40;

function instancesOf({ ResourceConfig }: CreateTrainingJobRequest): Instances {
  const { InstanceType: type, InstanceCount: count } = ResourceConfig ?? {};
  if (type === undefined || count === undefined)
    throw validationError("ResourceConfig must have InstanceType and InstanceCount.");
  return { type, count };
}

function checkChannelNames(job: CreateTrainingJobRequest): void {
  const names = (job.InputDataConfig ?? []).map((channel) => channel.ChannelName);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw validationError(`The channel name "${twice}" is used more than once.`);
  // The model's pattern takes them, and a channel is a folder of its name.
  const noFolder = names.find((name) => name === "." || name === "..");
  if (noFolder !== undefined) throw validationError(`The channel name "${noFolder}" is no name of a folder.`);
}

function checkLocations(job: CreateTrainingJobRequest, { fileSystems }: SagemakerContext): void {
  checkChannelNames(job);
  for (const { ChannelName, DataSource } of job.InputDataConfig ?? []) {
    if (DataSource.FileSystemDataSource) {
      const problem = fileSystemProblem(fileSystems, DataSource.FileSystemDataSource);
      if (problem !== undefined) throw validationError(`InputDataConfig "${ChannelName}": ${problem}`);
      continue;
    }
    if (!DataSource.S3DataSource) throw validationError(`The channel "${ChannelName}" has no DataSource.`);
    if (!parseS3Uri(DataSource.S3DataSource.S3Uri))
      throw validationError(`The S3Uri of the channel "${ChannelName}" is not of the form s3://bucket/key.`);
  }
  if (job.CheckpointConfig && !parseS3Uri(job.CheckpointConfig.S3Uri))
    throw validationError("CheckpointConfig.S3Uri is not of the form s3://bucket/key.");
  if (!parseS3Uri(job.OutputDataConfig.S3OutputPath))
    throw validationError("OutputDataConfig.S3OutputPath is not of the form s3://bucket/key.");
}

const withDefaults = (channel: Channel): Channel => ({
  ...channel,
  DataSource: {
    ...channel.DataSource,
    ...(channel.DataSource.S3DataSource && {
      S3DataSource: { S3DataDistributionType: "FullyReplicated", ...channel.DataSource.S3DataSource },
    }),
  },
  CompressionType: channel.CompressionType ?? "None",
  RecordWrapperType: channel.RecordWrapperType ?? "None",
});

/** A built-in algorithm's own; a framework image's known ones behind those of the request, whose names win. */
function metricsOf(
  { AlgorithmSpecification: wanted }: CreateTrainingJobRequest,
  program: TrainingProgram,
): Pick<AlgorithmSpecification, "MetricDefinitions"> {
  if (program.kind === "algorithm") return { MetricDefinitions: program.algorithm.metrics };
  const own = wanted?.MetricDefinitions ?? [];
  const known = knownMetrics(wanted?.TrainingImage ?? "").filter(({ Name }) => own.every((each) => each.Name !== Name));
  return known.length === 0 ? {} : { MetricDefinitions: [...own, ...known].slice(0, maxDefinitions) };
}

/** What Describe will echo: AWS fills in these defaults, and the metrics that a built-in algorithm reports. */
function specOf(job: CreateTrainingJobRequest, program: TrainingProgram): TrainingJobSpec {
  const { Tags: _, ...request } = job;
  return {
    ...request,
    AlgorithmSpecification: {
      TrainingInputMode: "File",
      EnableSageMakerMetricsTimeSeries: true,
      ...job.AlgorithmSpecification,
      ...metricsOf(job, program),
    },
    ...(job.InputDataConfig && { InputDataConfig: job.InputDataConfig.map(withDefaults) }),
    StoppingCondition: { MaxRuntimeInSeconds: defaultRuntimeSeconds, ...job.StoppingCondition },
  };
}

export const createTrainingJob = operation("CreateTrainingJob", async (input, ctx) => {
  checkSupport(input);
  const program = trainingProgram(input.AlgorithmSpecification, ctx.algorithms, ctx.compute);
  await checkMetrics(input.AlgorithmSpecification, program);
  checkSpot(input);
  checkWarmPool(input);
  const instances = instancesOf(input);
  checkInstances("training job", instances, ctx);
  checkLocations(input, ctx);
  checkNewTags(input.Tags ?? []);
  await checkExecutionRole(input.RoleArn, ctx);
  const job = await ctx.resources.create(trainingJob, input.TrainingJobName, specOf(input, program), {
    tags: input.Tags,
    status: statusAtStart(ctx.clock.now()),
    alongside: inLine(instances, ctx),
  });
  return { TrainingJobArn: job.arn };
});
