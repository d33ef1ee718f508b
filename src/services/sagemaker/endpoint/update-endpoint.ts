// UpdateEndpoint and UpdateEndpointWeightsAndCapacities: both write what is wanted; the reconciler goes there.
import type { UpdateEndpointInput } from "../../../models/generated/sagemaker.ts";
import { validationError } from "../../../lib/aws-error.ts";
import { operation } from "../context.ts";
import { notImplemented } from "../not-implemented.ts";
import type { Deployment, VariantPlan } from "./deployment.ts";
import { endpoint, visibleState, type Endpoint } from "./endpoint.resource.ts";
import { endpointBusy, endpointFailed, unknownVariant } from "./errors.ts";
import { checkSize, planDeployment } from "./plan-deployment.ts";

/** What it runs now; throws unless it is in service. */
function deploymentInService({ arn, spec, status, intent }: Endpoint): Deployment {
  const state = visibleState(status, intent, spec.change);
  if (state === "Failed") throw endpointFailed(arn);
  if (state !== "InService" || !status.current) throw endpointBusy(arn);
  return status.current.deployment;
}

/** RetainAllVariantProperties: counts and weights stay as they are now, for the variants that go on. */
function retain(planned: Deployment, current: Deployment, input: UpdateEndpointInput): Deployment {
  if (!input.RetainAllVariantProperties) return planned;
  const excluded = new Set(input.ExcludeRetainedVariantProperties?.map((property) => property.VariantPropertyType));
  const variants = planned.variants.map((variant): VariantPlan => {
    const before = current.variants.find((other) => other.name === variant.name);
    if (!before) return variant;
    return {
      ...variant,
      ...(excluded.has("DesiredInstanceCount") ? {} : { instanceCount: before.instanceCount }),
      ...(excluded.has("DesiredWeight") ? {} : { weight: before.weight }),
    };
  });
  return { ...planned, variants };
}

export const updateEndpoint = operation("UpdateEndpoint", async (input, ctx) => {
  if (input.DeploymentConfig) throw notImplemented("DeploymentConfig");
  deploymentInService(await ctx.resources.get(endpoint, input.EndpointName));
  const planned = await planDeployment(input.EndpointConfigName, 0, ctx);
  const { arn } = await ctx.resources.change(endpoint, input.EndpointName, (found) => {
    const change = found.spec.change + 1;
    const deployment = retain({ ...planned, generation: change }, deploymentInService(found), input);
    checkSize(deployment, ctx);
    return { spec: { change, changedAt: ctx.clock.now(), deployment } };
  });
  return { EndpointArn: arn };
});

export const updateEndpointWeightsAndCapacities = operation(
  "UpdateEndpointWeightsAndCapacities",
  async ({ EndpointName, DesiredWeightsAndCapacities }, ctx) => {
    if (DesiredWeightsAndCapacities.some((desired) => desired.ServerlessUpdateConfig))
      throw notImplemented("DesiredWeightsAndCapacities.ServerlessUpdateConfig");
    const empty = DesiredWeightsAndCapacities.find((desired) => desired.DesiredInstanceCount === 0);
    if (empty) throw validationError(`The variant "${empty.VariantName}" must keep at least one instance.`);
    const { arn } = await ctx.resources.change(endpoint, EndpointName, (found) => {
      const current = deploymentInService(found);
      const names = new Set(current.variants.map((variant) => variant.name));
      const unknown = DesiredWeightsAndCapacities.find((desired) => !names.has(desired.VariantName));
      if (unknown) throw unknownVariant(unknown.VariantName);
      const variants = current.variants.map((variant): VariantPlan => {
        const desired = DesiredWeightsAndCapacities.find((wish) => wish.VariantName === variant.name);
        return {
          ...variant,
          weight: desired?.DesiredWeight ?? variant.weight,
          instanceCount: desired?.DesiredInstanceCount ?? variant.instanceCount,
        };
      });
      const deployment = { ...current, variants };
      checkSize(deployment, ctx);
      return { spec: { change: found.spec.change + 1, changedAt: ctx.clock.now(), deployment } };
    });
    return { EndpointArn: arn };
  },
);
