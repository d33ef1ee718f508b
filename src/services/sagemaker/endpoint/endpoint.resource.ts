// An endpoint: what is stored of it and how it is shown.
import type {
  DescribeEndpointOutput,
  EndpointSummary,
  PendingProductionVariantSummary,
  ProductionVariantSummary,
} from "../../../models/generated/sagemaker.ts";
import { defineResource, type Resource } from "../../resource-definition.ts";
import type { EndpointRoutes } from "../../sagemaker-runtime/index.ts";
import type { Deployment, VariantPlan } from "./deployment.ts";
import { endpointExists, endpointNotFound } from "./errors.ts";

export interface EndpointSpec {
  /** Counts the requests that created or changed it; the reconciler brings it there. */
  readonly change: number;
  readonly changedAt: Date;
  /** What the latest request wants to run. */
  readonly deployment: Deployment;
}

export interface EndpointIntent {
  readonly deleteRequestedAt?: Date;
}

export type EndpointState = "Creating" | "InService" | "Updating" | "Failed" | "Deleting";

/** A task of the endpoint; it leaves the list when it ended or is no longer wanted. */
export interface Instance {
  readonly key: string;
  readonly generation: number;
  readonly variant: string;
  readonly launchedAt: Date;
  /** When /ping answered first. */
  readonly servingSince?: Date;
  /** There while /ping answers. */
  readonly address?: string;
}

/** Bytes of a variant's model.tar.gz, pinned. */
export interface Artifact {
  readonly blobId: string;
  readonly sizeBytes: number;
}

export interface EndpointStatus {
  readonly EndpointStatus: EndpointState;
  readonly FailureReason?: string | undefined;
  /** The latest change that came to an end, good or bad. */
  readonly handledChange: number;
  /** What receives the traffic: the latest deployment whose instances all came to serve. */
  readonly current?: { readonly deployment: Deployment; readonly since: Date };
  readonly instances: readonly Instance[];
  /** Tasks on their way out, by key. */
  readonly retiring: Readonly<Record<string, { readonly since: Date; readonly variant: string }>>;
  /** By generation, then by variant; a variant without model data has none. */
  readonly artifacts: Readonly<Record<string, Readonly<Record<string, Artifact>>>>;
  /** Numbers instances, so that a replacement is never taken for what it replaces. */
  readonly nextNumber: number;
  /** Instances lost one after another, for back-off. */
  readonly losses: number;
  readonly launchAfter?: Date;
  /** Instances of capacity that are reserved. */
  readonly reserved: number;
  readonly routes?: EndpointRoutes | undefined;
}

export type Endpoint = Resource<EndpointSpec, EndpointIntent, EndpointStatus>;

/** A request is visible at once, before a reconciler has seen it. */
export function visibleState(status: EndpointStatus, intent: EndpointIntent, change?: number): EndpointState {
  if (intent.deleteRequestedAt) return "Deleting";
  const isChanging = change !== undefined && change > status.handledChange;
  return isChanging && status.EndpointStatus === "InService" ? "Updating" : status.EndpointStatus;
}

const deployedImages = ({ image }: VariantPlan, at: Date) => [
  { SpecifiedImage: image, ResolvedImage: image, ResolutionTime: at },
];

function currentVariants({ spec, status }: Endpoint): ProductionVariantSummary[] {
  const { current } = status;
  if (!current) return [];
  const isSameFleet = spec.deployment.generation === current.deployment.generation;
  const desired = isSameFleet && status.handledChange < spec.change ? spec.deployment : current.deployment;
  return current.deployment.variants.map((variant) => {
    const wanted = desired.variants.find((other) => other.name === variant.name) ?? variant;
    const serving = status.instances.filter(
      (instance) =>
        instance.generation === current.deployment.generation &&
        instance.variant === variant.name &&
        instance.address !== undefined,
    );
    return {
      VariantName: variant.name,
      DeployedImages: deployedImages(variant, current.since),
      CurrentWeight: variant.weight,
      DesiredWeight: wanted.weight,
      CurrentInstanceCount: serving.length,
      DesiredInstanceCount: wanted.instanceCount,
    };
  });
}

const pendingVariants = ({ spec }: Endpoint): PendingProductionVariantSummary[] =>
  spec.deployment.variants.map((variant) => ({
    VariantName: variant.name,
    DeployedImages: deployedImages(variant, spec.changedAt),
    DesiredWeight: variant.weight,
    DesiredInstanceCount: variant.instanceCount,
  }));

function describe(endpoint: Endpoint): DescribeEndpointOutput {
  const { spec, intent, status, name, arn, createdAt, modifiedAt } = endpoint;
  const state = visibleState(status, intent, spec.change);
  const variants = currentVariants(endpoint);
  const isPending = state === "Updating" || state === "Creating";
  return {
    EndpointName: name,
    EndpointArn: arn,
    EndpointConfigName: (status.current?.deployment ?? spec.deployment).configName,
    ...(variants.length > 0 && { ProductionVariants: variants }),
    EndpointStatus: state,
    ...(status.FailureReason === undefined ? {} : { FailureReason: status.FailureReason }),
    CreationTime: createdAt,
    LastModifiedTime: modifiedAt,
    ...(isPending && {
      PendingDeploymentSummary: {
        EndpointConfigName: spec.deployment.configName,
        ProductionVariants: pendingVariants(endpoint),
        StartTime: spec.changedAt,
      },
    }),
  };
}

const summary = ({ spec, intent, status, name, arn, createdAt, modifiedAt }: Endpoint): EndpointSummary => ({
  EndpointName: name,
  EndpointArn: arn,
  CreationTime: createdAt,
  LastModifiedTime: modifiedAt,
  EndpointStatus: visibleState(status, intent, spec.change),
});

export const endpoint = defineResource<EndpointSpec, EndpointIntent, EndpointStatus>({
  service: "sagemaker",
  kind: "endpoint",
  nameMember: "EndpointName",
  arn: ({ region, account, name }) => `arn:aws:sagemaker:${region}:${account}:endpoint/${name}`,
  initialStatus: {
    EndpointStatus: "Creating",
    handledChange: 0,
    instances: [],
    retiring: {},
    artifacts: {},
    nextNumber: 1,
    losses: 0,
    reserved: 0,
  },
  initialIntent: {},
  stateOf: (status, intent) => visibleState(status, intent),
  describe,
  summary,
  isReconciled: true,
  notFound: ({ arn }) => endpointNotFound(arn),
  alreadyExists: ({ arn }) => endpointExists(arn),
});
