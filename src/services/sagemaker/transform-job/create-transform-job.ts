// CreateTransformJob: the rules that the model of the API cannot express, then one row for the reconciler.
import { JsonPathError, parseJsonPath } from "../../../formats/json-path/json-path.ts";
import { validationError } from "../../../lib/aws-error.ts";
import type { CreateTransformJobRequest } from "../../../models/generated/sagemaker.ts";
import { operation, type SagemakerContext } from "../context.ts";
import { checkInstances, inLine } from "../jobs/job-instances.ts";
import { model, modelDataUri } from "../model/model.resource.ts";
import { refuseUnsupported, type SupportCheck } from "../not-implemented.ts";
import { parseS3Uri } from "../s3-uri.ts";
import { servedAlgorithm, servedContainer } from "../serving-program.ts";
import { checkNewTags } from "../tags/tag-rules.ts";
import { transformJob, type TransformedModel, type TransformJobSpec } from "./transform-job.resource.ts";

const supportChecks: readonly SupportCheck<CreateTransformJobRequest>[] = [
  ["DataCaptureConfig", (job) => job.DataCaptureConfig],
  ["ExperimentConfig", (job) => Object.keys(job.ExperimentConfig ?? {}).length > 0],
];

/** AWS's own rule: at most 100 MB in flight. */
const mostInFlightMegabytes = 100;

function checkSizes({
  MaxConcurrentTransforms = 1,
  MaxPayloadInMB = 6,
  BatchStrategy,
}: CreateTransformJobRequest): void {
  if (MaxConcurrentTransforms * MaxPayloadInMB > mostInFlightMegabytes)
    throw validationError("The product of MaxConcurrentTransforms and MaxPayloadInMB must not exceed 100 MB.");
  if (MaxPayloadInMB === 0 && BatchStrategy === "MultiRecord")
    throw validationError("MaxPayloadInMB 0 streams each record: BatchStrategy must be SingleRecord then.");
}

function checkLocations({ TransformInput, TransformOutput }: CreateTransformJobRequest): void {
  const { S3DataType, S3Uri } = TransformInput.DataSource.S3DataSource;
  if (S3DataType === "AugmentedManifestFile")
    throw validationError(
      "TransformInput.DataSource.S3DataSource: S3DataType AugmentedManifestFile cannot be used with batch transform. Use S3Prefix or ManifestFile.",
    );
  if (!parseS3Uri(S3Uri))
    throw validationError("TransformInput.DataSource.S3DataSource.S3Uri is not of the form s3://bucket/key.");
  if (!parseS3Uri(TransformOutput.S3OutputPath))
    throw validationError("TransformOutput.S3OutputPath is not of the form s3://bucket/key.");
}

function checkFilters({ DataProcessing, TransformInput }: CreateTransformJobRequest): void {
  for (const member of ["InputFilter", "OutputFilter"] as const) {
    try {
      parseJsonPath(DataProcessing?.[member] ?? "$");
    } catch (error) {
      if (!(error instanceof JsonPathError)) throw error;
      throw validationError(`DataProcessing.${member}: ${error.message}`);
    }
  }
  const { SplitType } = TransformInput;
  if (DataProcessing && (SplitType === "RecordIO" || SplitType === "TFRecord"))
    throw validationError(`DataProcessing cannot be used with SplitType ${SplitType}.`);
}

async function modelOf(input: CreateTransformJobRequest, ctx: SagemakerContext): Promise<TransformedModel> {
  const found = await ctx.resources.get(model, input.ModelName);
  const container = servedContainer(found);
  if (container.Mode === "MultiModel")
    throw validationError(`Batch transform serves one model, and model ${found.name} is a multi-model container.`);
  const modelData = modelDataUri(container);
  const image = container.Image ?? "";
  if (found.spec.ExecutionRoleArn === undefined)
    throw validationError(
      `The model ${found.name} has no ExecutionRoleArn, with which the job would read and write S3.`,
    );
  return {
    image,
    ...servedAlgorithm(image, ctx),
    environment: { ...container.Environment, ...input.Environment },
    ...(modelData === undefined ? {} : { modelData }),
    roleArn: found.spec.ExecutionRoleArn,
    isAlone: found.spec.EnableNetworkIsolation ?? false,
  };
}

/** What Describe will echo: AWS fills in these defaults. */
function specOf(input: CreateTransformJobRequest, served: TransformedModel): TransformJobSpec {
  const { Tags: _, ...request } = input;
  return {
    ...request,
    TransformInput: { CompressionType: "None", SplitType: "None", ...input.TransformInput },
    TransformOutput: { AssembleWith: "None", KmsKeyId: "", ...input.TransformOutput },
    DataProcessing: { InputFilter: "$", OutputFilter: "$", JoinSource: "None", ...input.DataProcessing },
    model: served,
  };
}

export const createTransformJob = operation("CreateTransformJob", async (input, ctx) => {
  refuseUnsupported(input, supportChecks);
  checkSizes(input);
  checkLocations(input);
  checkFilters(input);
  checkNewTags(input.Tags ?? []);
  const { InstanceType: type, InstanceCount: count } = input.TransformResources;
  checkInstances("transform job", { type, count }, ctx);
  const served = await modelOf(input, ctx);
  const job = await ctx.resources.create(transformJob, input.TransformJobName, specOf(input, served), {
    tags: input.Tags,
    alongside: inLine({ type, count }, ctx),
  });
  return { TransformJobArn: job.arn };
});
