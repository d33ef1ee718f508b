// Which instances an endpoint has and should have: plain functions on its status.
import { createHash } from "node:crypto";
import type { EndpointRoutes } from "../../sagemaker-runtime/index.ts";
import type { Deployment, VariantPlan } from "./deployment.ts";
import type { EndpointSpec, EndpointStatus, Instance } from "./endpoint.resource.ts";

/** `<uid>-<generation>-<variant's index>-<number>`. */
export const instanceKey = (uid: string, generation: number, variantIndex: number, number: number): string =>
  `${uid}-${generation}-${variantIndex}-${number}`;

export const isServing = (instance: Instance): boolean => instance.address !== undefined;

const belongsTo = (deployment: Deployment, variant: VariantPlan) => (instance: Instance) =>
  instance.generation === deployment.generation && instance.variant === variant.name;

export const isServingWhole = (deployment: Deployment, instances: readonly Instance[]): boolean =>
  deployment.variants.every(
    (variant) =>
      instances.filter((instance) => belongsTo(deployment, variant)(instance) && isServing(instance)).length >=
      variant.instanceCount,
  );

export interface Launch {
  readonly key: string;
  readonly variant: VariantPlan;
}

/** The instances that a deployment lacks, with keys of their own. */
export function missing(
  uid: string,
  deployment: Deployment,
  { instances, nextNumber }: Pick<EndpointStatus, "instances" | "nextNumber">,
): Launch[] {
  let number = nextNumber;
  return deployment.variants.flatMap((variant, index) => {
    const present = instances.filter(belongsTo(deployment, variant)).length;
    return Array.from({ length: Math.max(0, variant.instanceCount - present) }, () => ({
      key: instanceKey(uid, deployment.generation, index, number++),
      variant,
    }));
  });
}

/** The instances that a deployment needs: those that serve first, then the oldest. */
export const wantedBy = (deployment: Deployment, instances: readonly Instance[]): Instance[] =>
  deployment.variants.flatMap((variant) =>
    instances
      .filter(belongsTo(deployment, variant))
      .sort((a, b) => Number(isServing(b)) - Number(isServing(a)) || a.launchedAt.getTime() - b.launchedAt.getTime())
      .slice(0, variant.instanceCount),
  );

export function routesOf({ current, instances }: Pick<EndpointStatus, "current" | "instances">): EndpointRoutes {
  if (!current) return { variants: [] };
  const { deployment } = current;
  const variants = deployment.variants.map((variant) => ({
    name: variant.name,
    weight: variant.weight,
    instances: instances
      .filter(belongsTo(deployment, variant))
      .flatMap(({ key, address }) => (address === undefined ? [] : [{ id: key, address }])),
    ...(variant.multiModel && { isMultiModel: true as const }),
  }));
  return { variants };
}

/** The variant that a task belongs to, also when it is on its way out or was started by a pass that a crash cut off. */
export function variantOf(
  key: string,
  spec: EndpointSpec,
  { instances, retiring, current }: EndpointStatus,
): string | undefined {
  const known = instances.find((instance) => instance.key === key)?.variant ?? retiring[key]?.variant;
  if (known !== undefined) return known;
  const [generation, index] = key.split("-").slice(-3).map(Number);
  const deployment = [spec.deployment, current?.deployment].find((one) => one?.generation === generation);
  return deployment?.variants[index ?? -1]?.name;
}

export const generationOf = (key: string): number => Number(key.split("-").at(-3));

/** As EC2's look, the same for an instance whenever it is asked. */
export const instanceId = (key: string): string => `i-${createHash("sha256").update(key).digest("hex").slice(0, 17)}`;
