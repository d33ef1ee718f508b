// CreateProcessingJob: the rules that the model of the API cannot express, then one row for the reconciler.
import { findFramework } from "../../../compute/frameworks/find-framework.ts";
import { validationError } from "../../../lib/aws-error.ts";
import type {
  CreateProcessingJobRequest,
  ProcessingInput,
  ProcessingOutput,
} from "../../../models/generated/sagemaker.ts";
import { operation, type SagemakerContext } from "../context.ts";
import { checkExecutionRole } from "../execution-role.ts";
import { checkInstances, inLine, type Instances } from "../jobs/job-instances.ts";
import { defaultRuntimeSeconds } from "../jobs/job-kind.ts";
import { notImplemented, refuseUnsupported, type SupportCheck } from "../not-implemented.ts";
import { parseS3Uri } from "../s3-uri.ts";
import { checkNewTags } from "../tags/tag-rules.ts";
import { unknownImage } from "./errors.ts";
import { inputFolder, isPiped, processingFolder } from "./processing-folders.ts";
import { processingJob, type ProcessingJobSpec } from "./processing-job.resource.ts";

const jobChecks: readonly SupportCheck<CreateProcessingJobRequest>[] = [
  ["ExperimentConfig", (job) => Object.keys(job.ExperimentConfig ?? {}).length > 0],
  [
    "ProcessingResources.ClusterConfig.InstancePreferences",
    ({ ProcessingResources: r }) => r.ClusterConfig.InstancePreferences,
  ],
  [
    "NetworkConfig.EnableInterContainerTrafficEncryption",
    (job) => job.NetworkConfig?.EnableInterContainerTrafficEncryption,
  ],
];
const inputChecks: readonly SupportCheck<ProcessingInput>[] = [
  ["DatasetDefinition", (input) => input.DatasetDefinition],
];
const outputChecks: readonly SupportCheck<ProcessingOutput>[] = [
  ["FeatureStoreOutput", (output) => output.FeatureStoreOutput],
];

const pipeOf = /^(.*)_(?:0|[1-9][0-9]*)$/;

function checkNames(what: string, names: readonly string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw validationError(`The ${what} "${twice}" is used more than once.`);
}

const folderOf = (what: string, localPath: string | undefined): string => {
  const folder = processingFolder(localPath ?? "");
  if (folder === undefined)
    throw validationError(
      `The LocalPath of the ${what} must begin with /opt/ml/processing/: ${localPath ?? "it has none"}.`,
    );
  return folder;
};

function checkInputs(job: CreateProcessingJobRequest): void {
  const { ProcessingInputs: inputs = [] } = job;
  checkNames(
    "input name",
    inputs.map(({ InputName }) => InputName),
  );
  const folders = inputs.map((input) => {
    const what = `input "${input.InputName}"`;
    refuseUnsupported(input, inputChecks, `The ${what}: `);
    const { S3Input: source } = input;
    if (!source || !parseS3Uri(source.S3Uri))
      throw validationError(`The S3Uri of the ${what} is not of the form s3://bucket/key.`);
    if (source.S3CompressionType === "Gzip" && !isPiped(input))
      throw validationError(`The ${what}: S3CompressionType Gzip can only be used with the S3InputMode Pipe.`);
    return folderOf(what, source.LocalPath);
  });
  checkNames("LocalPath of inputs", folders);
  checkPipes(job);
}

/** A Pipe input is no folder: its epochs are FIFOs beside where the folder would be. */
function checkPipes({ ProcessingInputs: inputs = [], ProcessingOutputConfig }: CreateProcessingJobRequest): void {
  const pipes = new Set(inputs.filter(isPiped).map(inputFolder));
  if (pipes.has("processing"))
    throw validationError("The LocalPath of an input with the S3InputMode Pipe must lie below /opt/ml/processing.");
  const outputs = (ProcessingOutputConfig?.Outputs ?? []).map(({ S3Output }) => S3Output?.LocalPath ?? "");
  const folders = [...inputs.map(inputFolder), ...outputs.flatMap((path) => processingFolder(path) ?? [])];
  for (const folder of folders) {
    const parts = folder.split("/");
    // The last part of a Pipe input names no folder.
    for (let depth = 2; depth <= (pipes.has(folder) ? parts.length - 1 : parts.length); depth++) {
      const path = parts.slice(0, depth).join("/");
      const piped = pipeOf.exec(path)?.[1];
      if (piped !== undefined && pipes.has(piped))
        throw validationError(
          `The LocalPath /opt/ml/${folder} goes through /opt/ml/${path}, which is a FIFO of the input at /opt/ml/${piped}: its S3InputMode is Pipe.`,
        );
    }
  }
}

function checkOutputs({ ProcessingOutputConfig }: CreateProcessingJobRequest): void {
  const outputs = ProcessingOutputConfig?.Outputs ?? [];
  checkNames(
    "output name",
    outputs.map(({ OutputName }) => OutputName),
  );
  for (const output of outputs) {
    const what = `output "${output.OutputName}"`;
    refuseUnsupported(output, outputChecks, `The ${what}: `);
    const { S3Output: target } = output;
    if (!target || !parseS3Uri(target.S3Uri))
      throw validationError(`The S3Uri of the ${what} is not of the form s3://bucket/key.`);
    // What the program itself stores needs no folder.
    if (output.AppManaged !== true) folderOf(what, target.LocalPath);
  }
}

function checkImage({ AppSpecification: app }: CreateProcessingJobRequest, { compute }: SagemakerContext): void {
  const isFramework = findFramework(app.ImageUri) !== undefined;
  if (compute.features.has("images")) return;
  if (!isFramework) throw unknownImage(app.ImageUri);
  if ((app.ContainerEntrypoint ?? []).length === 0)
    throw notImplemented(`The processing image ${app.ImageUri} without AppSpecification.ContainerEntrypoint`);
}

function instancesOf({ ProcessingResources: { ClusterConfig } }: CreateProcessingJobRequest): Instances {
  const { InstanceType: type, InstanceCount: count } = ClusterConfig;
  if (type === undefined || count === undefined)
    throw validationError("ProcessingResources.ClusterConfig must have InstanceType and InstanceCount.");
  return { type, count };
}

/** What Describe will echo: AWS fills in these defaults. */
function specOf(job: CreateProcessingJobRequest): ProcessingJobSpec {
  const { Tags: _, ...request } = job;
  return {
    ...request,
    ...(request.ProcessingInputs && {
      ProcessingInputs: request.ProcessingInputs.map((input) => ({
        AppManaged: false,
        ...input,
        ...(input.S3Input && {
          S3Input: {
            S3DataDistributionType: "FullyReplicated",
            S3InputMode: "File",
            S3CompressionType: "None",
            ...input.S3Input,
          },
        }),
      })),
    }),
    ...(request.ProcessingOutputConfig && {
      ProcessingOutputConfig: {
        ...request.ProcessingOutputConfig,
        Outputs: request.ProcessingOutputConfig.Outputs.map((output) => ({ AppManaged: false, ...output })),
      },
    }),
    StoppingCondition: request.StoppingCondition ?? { MaxRuntimeInSeconds: defaultRuntimeSeconds },
  };
}

export const createProcessingJob = operation("CreateProcessingJob", async (input, ctx) => {
  refuseUnsupported(input, jobChecks);
  checkInputs(input);
  checkOutputs(input);
  checkImage(input, ctx);
  checkNewTags(input.Tags ?? []);
  const instances = instancesOf(input);
  checkInstances("processing job", instances, ctx);
  await checkExecutionRole(input.RoleArn, ctx);
  const job = await ctx.resources.create(processingJob, input.ProcessingJobName, specOf(input), {
    tags: input.Tags,
    alongside: inLine(instances, ctx),
  });
  return { ProcessingJobArn: job.arn };
});
