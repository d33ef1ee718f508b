// CreateModel: the rules that the model of the API cannot express. What cannot run here yet is stored; CreateEndpoint says so.
import { validationError } from "../../../lib/aws-error.ts";
import type { ContainerDefinition, CreateModelInput } from "../../../models/generated/sagemaker.ts";
import { operation, type SagemakerContext } from "../context.ts";
import { checkExecutionRole } from "../execution-role.ts";
import { parseS3Uri } from "../s3-uri.ts";
import { checkNewTags } from "../tags/tag-rules.ts";
import { modelDataDenied, modelDataNotFound, multiModelUrlWrong, notMultiModel } from "./errors.ts";
import { findModelData } from "./find-model-data.ts";
import { containersOf, model, modelDataUri, type ModelSpec } from "./model.resource.ts";

function checkMode(container: ContainerDefinition, ctx: SagemakerContext): void {
  if (container.Mode !== "MultiModel") {
    if (container.MultiModelConfig)
      throw validationError("MultiModelConfig can only be given for a container with Mode MultiModel.");
    return;
  }
  const uri = container.ModelDataUrl;
  const place = uri?.endsWith("/") === true ? parseS3Uri(uri) : undefined;
  if (!place) throw multiModelUrlWrong(uri);
  const image = container.Image ?? "";
  if (ctx.algorithms.find(image)) throw notMultiModel(image);
}

function checkContainers(input: CreateModelInput, ctx: SagemakerContext): void {
  const hasSeveral = (input.Containers ?? []).length > 0;
  if (input.PrimaryContainer && hasSeveral)
    throw validationError("A model has either PrimaryContainer or Containers, not both.");
  if (!input.PrimaryContainer && !hasSeveral)
    throw validationError("A model must have PrimaryContainer, or at least one of Containers.");
  for (const container of containersOf(input)) {
    if (container.Image === undefined && container.ModelPackageName === undefined)
      throw validationError("Each container of a model must have an Image or a ModelPackageName.");
    if (container.ModelDataUrl !== undefined && container.ModelDataSource)
      throw validationError("A container has either ModelDataUrl or ModelDataSource, not both.");
    checkMode(container, ctx);
  }
}

const isSingleArchive = (container: ContainerDefinition): boolean =>
  (container.Mode ?? "SingleModel") === "SingleModel" &&
  (container.ModelDataSource?.S3DataSource?.S3DataType ?? "S3Object") === "S3Object";

/** A prefix (many models, or loose files) may still be empty; a single archive must be there. */
async function checkModelData(
  container: ContainerDefinition,
  roleArn: string | undefined,
  ctx: SagemakerContext,
): Promise<void> {
  const uri = modelDataUri(container);
  if (uri === undefined) return;
  if (!parseS3Uri(uri)) throw validationError(`The model data location ${uri} is not of the form s3://bucket/key.`);
  if (!isSingleArchive(container)) return;
  const { account, region } = ctx;
  const found = await findModelData(ctx, { account, region, roleArn, uri });
  if (!found) throw modelDataNotFound(uri);
  if (found === "denied") throw validationError(modelDataDenied(uri, roleArn ?? "", region));
}

const withMode = (container: ContainerDefinition): ContainerDefinition => ({ Mode: "SingleModel", ...container });

function specOf(input: CreateModelInput): ModelSpec {
  const { Tags: _, ...request } = input;
  return {
    ...request,
    ...(input.PrimaryContainer && { PrimaryContainer: withMode(input.PrimaryContainer) }),
    ...(input.Containers && { Containers: input.Containers.map(withMode) }),
    EnableNetworkIsolation: input.EnableNetworkIsolation ?? false,
  };
}

export const createModel = operation("CreateModel", async (input, ctx) => {
  checkContainers(input, ctx);
  checkNewTags(input.Tags ?? []);
  if (input.ExecutionRoleArn !== undefined) await checkExecutionRole(input.ExecutionRoleArn, ctx);
  for (const container of containersOf(input)) await checkModelData(container, input.ExecutionRoleArn, ctx);
  const created = await ctx.resources.create(model, input.ModelName, specOf(input), { tags: input.Tags });
  return { ModelArn: created.arn };
});
