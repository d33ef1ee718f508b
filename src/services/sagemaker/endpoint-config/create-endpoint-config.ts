// CreateEndpointConfig: the rules that the model of the API cannot express.
import { validationError } from "../../../lib/aws-error.ts";
import type { CreateEndpointConfigInput, ProductionVariant } from "../../../models/generated/sagemaker.ts";
import { operation, type SagemakerContext } from "../context.ts";
import { model } from "../model/model.resource.ts";
import { checkNewTags } from "../tags/tag-rules.ts";
import { checkSupport } from "./check-support.ts";
import { endpointConfig, type EndpointConfigSpec } from "./endpoint-config.resource.ts";

const defaultWeight = 1;

function checkVariants(variants: readonly ProductionVariant[]): void {
  const names = variants.map((variant) => variant.VariantName);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw validationError(`The variant name "${twice}" is used more than once.`);
  for (const { VariantName, InstanceType, InitialInstanceCount } of variants) {
    if (InstanceType === undefined || InitialInstanceCount === undefined)
      throw validationError(`The variant "${VariantName}" must have InstanceType and InitialInstanceCount.`);
  }
}

/** Throws "Could not find model" for the first that is not there. */
async function checkModels(variants: readonly ProductionVariant[], ctx: SagemakerContext): Promise<void> {
  const names = new Set(variants.map((variant) => variant.ModelName ?? ""));
  for (const name of names) await ctx.resources.get(model, name);
}

function specOf(input: CreateEndpointConfigInput): EndpointConfigSpec {
  const { Tags: _, ...request } = input;
  return {
    ...request,
    ProductionVariants: input.ProductionVariants.map((variant) => ({
      ...variant,
      InitialVariantWeight: variant.InitialVariantWeight ?? defaultWeight,
    })),
  };
}

export const createEndpointConfig = operation("CreateEndpointConfig", async (input, ctx) => {
  checkSupport(input);
  checkVariants(input.ProductionVariants);
  checkNewTags(input.Tags ?? []);
  await checkModels(input.ProductionVariants, ctx);
  const created = await ctx.resources.create(endpointConfig, input.EndpointConfigName, specOf(input), {
    tags: input.Tags,
  });
  return { EndpointConfigArn: created.arn };
});
