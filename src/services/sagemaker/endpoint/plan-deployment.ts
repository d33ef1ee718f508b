// Turns an endpoint configuration and its models into a deployment, or says what of them cannot run here yet.
import type { ContainerDefinition, ProductionVariant } from "../../../models/generated/sagemaker.ts";
import type { SagemakerContext } from "../context.ts";
import { endpointConfig } from "../endpoint-config/endpoint-config.resource.ts";
import { model, modelDataUri } from "../model/model.resource.ts";
import { servedAlgorithm, servedContainer } from "../serving-program.ts";
import { totalInstances, type Deployment, type VariantPlan } from "./deployment.ts";
import { tooManyInstances } from "../instance-limit.ts";

const startupSeconds = 240;
const downloadSeconds = 3_600;

function modelPlan(container: ContainerDefinition): Pick<VariantPlan, "modelData" | "multiModel"> {
  const uri = modelDataUri(container);
  if (uri === undefined) return {};
  if (container.Mode !== "MultiModel") return { modelData: uri };
  return { multiModel: { prefix: uri, keepsLoaded: container.MultiModelConfig?.ModelCacheSetting !== "Disabled" } };
}

async function planVariant(variant: ProductionVariant, ctx: SagemakerContext): Promise<VariantPlan> {
  const found = await ctx.resources.get(model, variant.ModelName ?? "");
  const container = servedContainer(found);
  const image = container.Image ?? "";
  return {
    name: variant.VariantName,
    modelName: found.name,
    instanceType: variant.InstanceType ?? "",
    instanceCount: variant.InitialInstanceCount ?? 1,
    weight: variant.InitialVariantWeight ?? 1,
    volumeGigabytes: variant.VolumeSizeInGB,
    image,
    ...servedAlgorithm(image, ctx),
    environment: container.Environment ?? {},
    ...modelPlan(container),
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
  if (wanted > limit)
    throw tooManyInstances("endpoint", { type: deployment.variants[0]?.instanceType ?? "", count: wanted }, limit);
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
