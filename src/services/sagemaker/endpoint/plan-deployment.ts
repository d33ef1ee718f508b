// Turns an endpoint configuration and its models into a deployment, or says what of them cannot run here yet.
import { findFramework } from "../../../compute/frameworks/find-framework.ts";
import type { ContainerDefinition, ProductionVariant } from "../../../models/generated/sagemaker.ts";
import { validationError } from "../../../lib/aws-error.ts";
import type { SagemakerContext } from "../context.ts";
import { endpointConfig } from "../endpoint-config/endpoint-config.resource.ts";
import { containersOf, model, modelDataUri, type Model } from "../model/model.resource.ts";
import { notImplemented, refuseUnsupported, type SupportCheck } from "../not-implemented.ts";
import { totalInstances, type Deployment, type VariantPlan } from "./deployment.ts";
import { tooManyInstances } from "./errors.ts";

const startupSeconds = 240;
const downloadSeconds = 3_600;

const containerChecks: readonly SupportCheck<ContainerDefinition>[] = [
  ["Mode MultiModel", (container) => container.Mode === "MultiModel"],
  ["ModelPackageName", (container) => container.ModelPackageName],
  ["AdditionalModelDataSources", (container) => (container.AdditionalModelDataSources ?? []).length > 0],
  ["ImageConfig", (container) => container.ImageConfig?.RepositoryAccessMode === "Vpc"],
  [
    "ModelDataSource with S3DataType S3Prefix",
    ({ ModelDataSource: source }) => (source?.S3DataSource?.S3DataType ?? "S3Object") !== "S3Object",
  ],
  [
    "ModelDataSource with CompressionType None",
    ({ ModelDataSource: source }) => (source?.S3DataSource?.CompressionType ?? "Gzip") !== "Gzip",
  ],
];

function containerOf(found: Model): ContainerDefinition {
  const where = `Model "${found.name}": `;
  const [container, ...others] = containersOf(found.spec);
  if (!container || others.length > 0) throw notImplemented(`${where}an inference pipeline (several Containers)`);
  refuseUnsupported(container, containerChecks, where);
  return container;
}

function algorithmOf(image: string, ctx: SagemakerContext): { readonly algorithm?: string } {
  const algorithm = ctx.algorithms.find(image);
  if (algorithm) return { algorithm: algorithm.name };
  if (findFramework(image) || ctx.compute.features.has("images")) return {};
  throw validationError(
    `Salvia cannot serve the image ${image} yet. It serves SageMaker's built-in algorithms ${ctx.algorithms.names.join(", ")}, and its framework images (docs/frameworks.md), under the image name of any registry account and region. Other images run as containers, where a Docker Engine answers: none does here.`,
  );
}

async function planVariant(variant: ProductionVariant, ctx: SagemakerContext): Promise<VariantPlan> {
  const found = await ctx.resources.get(model, variant.ModelName ?? "");
  const container = containerOf(found);
  const modelData = modelDataUri(container);
  const image = container.Image ?? "";
  return {
    name: variant.VariantName,
    modelName: found.name,
    instanceType: variant.InstanceType ?? "",
    instanceCount: variant.InitialInstanceCount ?? 1,
    weight: variant.InitialVariantWeight ?? 1,
    volumeGigabytes: variant.VolumeSizeInGB,
    image,
    ...algorithmOf(image, ctx),
    environment: container.Environment ?? {},
    ...(modelData === undefined ? {} : { modelData }),
    ...(found.spec.ExecutionRoleArn === undefined ? {} : { roleArn: found.spec.ExecutionRoleArn }),
    isAlone: found.spec.EnableNetworkIsolation ?? false,
    startupSeconds: variant.ContainerStartupHealthCheckTimeoutInSeconds ?? startupSeconds,
    downloadSeconds: variant.ModelDataDownloadTimeoutInSeconds ?? downloadSeconds,
  };
}

/** Throws when it could never fit, as AWS does for what lies above an account's quota. */
export function checkSize(deployment: Deployment, ctx: SagemakerContext): void {
  const limit = ctx.capacity.limits.hosting;
  const wanted = totalInstances(deployment);
  if (wanted > limit) throw tooManyInstances(deployment.variants[0]?.instanceType ?? "", limit, wanted);
}

/** Throws what the caller should hear: configuration or model unknown, not implemented yet, too large. */
export async function planDeployment(
  configName: string,
  generation: number,
  ctx: SagemakerContext,
): Promise<Deployment> {
  const config = await ctx.resources.get(endpointConfig, configName);
  const variants = await Promise.all(config.spec.ProductionVariants.map((variant) => planVariant(variant, ctx)));
  return { generation, configName, variants };
}
