// What a training job may ask for on AWS and not here yet: refused by name, never silently ignored.
import type { Channel, CreateTrainingJobRequest } from "../../../models/generated/sagemaker.ts";
import { validationError } from "../../../lib/aws-error.ts";
import { checkpointFolder } from "./checkpoints.ts";
import { notImplemented, refuseUnsupported, type SupportCheck } from "../not-implemented.ts";

const isGiven = (list: readonly unknown[] | undefined): boolean => list !== undefined && list.length > 0;

const jobChecks: readonly SupportCheck<CreateTrainingJobRequest>[] = [
  ["AlgorithmSpecification.AlgorithmName", ({ AlgorithmSpecification: a }) => a?.AlgorithmName],
  ["AlgorithmSpecification.TrainingImageConfig", ({ AlgorithmSpecification: a }) => a?.TrainingImageConfig],
  ["OutputDataConfig.CompressionType NONE", (job) => job.OutputDataConfig.CompressionType === "NONE"],
  ["ResourceConfig.InstanceGroups", ({ ResourceConfig: r }) => isGiven(r?.InstanceGroups)],
  ["ResourceConfig.InstancePreferences", ({ ResourceConfig: r }) => isGiven(r?.InstancePreferences)],
  ["ResourceConfig.InstancePlacementConfig", ({ ResourceConfig: r }) => r?.InstancePlacementConfig],
  ["ResourceConfig.TrainingPlanArn", ({ ResourceConfig: r }) => r?.TrainingPlanArn],
  ["StoppingCondition.MaxPendingTimeInSeconds", ({ StoppingCondition: s }) => s?.MaxPendingTimeInSeconds],
  ["EnableInterContainerTrafficEncryption", (job) => job.EnableInterContainerTrafficEncryption],
  [
    "CheckpointConfig.LocalPath outside of /opt/ml",
    ({ CheckpointConfig: config }) => config && checkpointFolder(config) === undefined,
  ],
  ["DebugRuleConfigurations", (job) => isGiven(job.DebugRuleConfigurations)],
  ["ProfilerRuleConfigurations", (job) => isGiven(job.ProfilerRuleConfigurations)],
  ["TensorBoardOutputConfig", (job) => job.TensorBoardOutputConfig],
  ["ExperimentConfig", (job) => Object.keys(job.ExperimentConfig ?? {}).length > 0],
  ["RemoteDebugConfig.EnableRemoteDebug", (job) => job.RemoteDebugConfig?.EnableRemoteDebug],
  ["InfraCheckConfig.EnableInfraCheck", (job) => job.InfraCheckConfig?.EnableInfraCheck],
  ["SessionChainingConfig", (job) => job.SessionChainingConfig],
  ["ServerlessJobConfig", (job) => job.ServerlessJobConfig],
  ["MlflowConfig", (job) => job.MlflowConfig],
  ["ModelPackageConfig", (job) => job.ModelPackageConfig],
];

const channelChecks: readonly SupportCheck<Channel>[] = [
  ["DataSource.DatasetSource", (channel) => channel.DataSource.DatasetSource],
  ["DataSource.S3DataSource.InstanceGroupNames", ({ DataSource: d }) => isGiven(d.S3DataSource?.InstanceGroupNames)],
  ["DataSource.S3DataSource.ModelAccessConfig", ({ DataSource: d }) => d.S3DataSource?.ModelAccessConfig],
  ["DataSource.S3DataSource.HubAccessConfig", ({ DataSource: d }) => d.S3DataSource?.HubAccessConfig],
];

/** A channel's own mode before the job's. */
export const inputModeOf = (
  job: Pick<CreateTrainingJobRequest, "AlgorithmSpecification">,
  channel: Channel,
): "File" | "Pipe" | "FastFile" => channel.InputMode ?? job.AlgorithmSpecification?.TrainingInputMode ?? "File";

/** AWS streams such channels and nothing else. */
function checkAugmented(job: CreateTrainingJobRequest, channel: Channel, where: string): void {
  const { S3DataType: type = "S3Prefix", AttributeNames: names = [] } = channel.DataSource.S3DataSource ?? {};
  if (type !== "AugmentedManifestFile") {
    if (names.length > 0) throw validationError(`${where}: AttributeNames need the S3DataType AugmentedManifestFile.`);
    if (type !== "S3Prefix" && type !== "ManifestFile") throw notImplemented(`${where}: S3DataType ${type}`);
    // Developer guide, "Access Training Data": neither manifests nor augmented manifests.
    if (type === "ManifestFile" && inputModeOf(job, channel) === "FastFile")
      throw validationError(`${where}: the input mode FastFile supports the S3DataType S3Prefix only.`);
    return;
  }
  if (names.length === 0) throw validationError(`${where}: S3DataType AugmentedManifestFile needs AttributeNames.`);
  if (inputModeOf(job, channel) !== "Pipe")
    throw validationError(`${where}: S3DataType AugmentedManifestFile needs the input mode Pipe.`);
}

function checkChannel(job: CreateTrainingJobRequest, channel: Channel): void {
  const where = `InputDataConfig "${channel.ChannelName}"`;
  if (channel.RecordWrapperType === "RecordIO" && inputModeOf(job, channel) !== "Pipe")
    throw validationError(`${where}: RecordWrapperType RecordIO needs the input mode Pipe.`);
  checkAugmented(job, channel, where);
  const { FileSystemDataSource: files, S3DataSource: objects } = channel.DataSource;
  if (files && objects) throw validationError(`${where}: DataSource has both S3DataSource and FileSystemDataSource.`);
  if (files && inputModeOf(job, channel) === "Pipe")
    throw validationError(`${where}: a FileSystemDataSource needs the input mode File.`);
  refuseUnsupported(channel, channelChecks, `${where}: `);
}

const pipeOf = /^(.*)_(?:0|[1-9][0-9]*)$/;

/** The FIFOs of a channel have names that another channel's folder may have. */
function checkPipeNames(job: CreateTrainingJobRequest): void {
  const channels = job.InputDataConfig ?? [];
  const isPipe = (channel: Channel): boolean => inputModeOf(job, channel) === "Pipe";
  const pipes = new Set(channels.filter(isPipe).map(({ ChannelName }) => ChannelName));
  for (const { ChannelName: name } of channels.filter((channel) => !isPipe(channel))) {
    const piped = pipeOf.exec(name)?.[1];
    if (piped !== undefined && pipes.has(piped))
      throw validationError(
        `InputDataConfig "${name}": the channel "${piped}" has the input mode Pipe, whose epochs are /opt/ml/input/data/${piped}_0, ${piped}_1 and so on: /opt/ml/input/data/${name} cannot be a folder as well.`,
      );
  }
}

/** Throws for the first thing asked for that Salvia cannot do. */
export function checkSupport(job: CreateTrainingJobRequest): void {
  refuseUnsupported(job, jobChecks);
  for (const channel of job.InputDataConfig ?? []) checkChannel(job, channel);
  checkPipeNames(job);
}
