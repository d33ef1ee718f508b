// The tasks of an endpoint: what an instance runs and reads, where its lines and figures go.
import { Readable } from "node:stream";
import type { ResourceRow } from "../../../database/resources.ts";
import type { Writer } from "../../../database/store.ts";
import { unpack } from "../../../lib/stored-json.ts";
import { planLines, type PlanLine } from "../../../task/plan-lines.ts";
import type { PlannedObject, PlanFailure } from "../../../task/channel-plan.ts";
import type { TaskSpec } from "../../../task/task.ts";
import { rowKind } from "../../resource-definition.ts";
import type { MetricData } from "../../cloudwatch/index.ts";
import type { SagemakerPlatform } from "../context.ts";
import { servingProgram } from "../serving-program.ts";
import { plannedObject } from "../channels/planned-object.ts";
import { regionVariables, taskHead } from "../tasks/task-head.ts";
import type { StoredReport, TaskOwner, TaskRow } from "../tasks/task-owner.ts";
import { usageMetrics } from "../tasks/usage-metrics.ts";
import { hostName, jobAddresses } from "../jobs/job-network.ts";
import { parseS3Uri, type S3Uri } from "../s3-uri.ts";
import { modelMetrics } from "./model-metrics.ts";
import type { VariantPlan } from "./deployment.ts";
import { endpoint, type EndpointSpec, type EndpointStatus } from "./endpoint.resource.ts";
import { generationOf, instanceId, variantOf } from "./fleet.ts";

const graceSeconds = 30;
const metricNamespace = "/aws/sagemaker/Endpoints";

export const logGroup = (endpointName: string): string => `/aws/sagemaker/Endpoints/${endpointName}`;

type Platform = Pick<SagemakerPlatform, "objects" | "metrics">;

/** Throws ImageError for an image that the model's role may not pull. */
export async function taskSpec(
  task: TaskRow,
  variant: VariantPlan,
  endpointName: string,
  platform: Pick<SagemakerPlatform, "server" | "images" | "compute" | "isFrameworkStrict">,
): Promise<TaskSpec> {
  const place = { account: task.account, region: task.region };
  return {
    ...taskHead(platform, task, variant.instanceType),
    purpose: "hosting",
    variant: variant.name,
    program: await servingProgram({ ...variant, ...place, roleArn: variant.roleArn ?? "" }, platform),
    // Instances of an endpoint do not know each other: each is alone on its network.
    network: { host: hostName(1), addresses: jobAddresses(task.key, 1), isAlone: variant.isAlone },
    environment: {
      ...variant.environment,
      ...regionVariables(task.region),
      ENDPOINT_NAME: endpointName,
      ...(variant.multiModel && { SAGEMAKER_MULTI_MODEL: "true" }),
    },
    ...(variant.multiModel && { multiModel: { keepsLoaded: variant.multiModel.keepsLoaded } }),
    configFiles: {},
    graceSeconds,
    ...(variant.volumeGigabytes === undefined ? {} : { diskBytes: variant.volumeGigabytes * 2 ** 30 }),
  };
}

const specOf = (owner: ResourceRow): EndpointSpec => unpack(owner.spec) as EndpointSpec;
const statusOf = (owner: ResourceRow): EndpointStatus => unpack(owner.status) as EndpointStatus;

const variantNameOf = (task: TaskRow, owner: ResourceRow): string =>
  variantOf(task.key, specOf(owner), statusOf(owner)) ?? "unknown";

async function planFor(
  { objects }: Platform,
  task: TaskRow,
  owner: ResourceRow,
): Promise<AsyncIterable<PlanLine> | PlanFailure> {
  const ofGeneration = statusOf(owner).artifacts[generationOf(task.key)];
  if (!ofGeneration) return { failureReason: "This instance is no longer wanted." };
  const artifact = ofGeneration[variantNameOf(task, owner)];
  const lines = (modelArchives: readonly PlannedObject[]): AsyncIterable<PlanLine> =>
    Readable.from(planLines({ channels: [], modelArchives }));
  if (!artifact) return lines([]);
  const archive = plannedObject(objects, task.key, { ...artifact, path: "model.tar.gz" }, false);
  return lines([archive]);
}

function roleArn(owner: ResourceRow, task: TaskRow): string {
  const { variants } = specOf(owner).deployment;
  const name = variantNameOf(task, owner);
  return (variants.find((variant) => variant.name === name) ?? variants[0])?.roleArn ?? "";
}

/** By the task's own generation: an update may bring another prefix. */
function modelAt(task: TaskRow, owner: ResourceRow, target: string): S3Uri | undefined {
  const name = variantNameOf(task, owner);
  const deployments = [specOf(owner).deployment, statusOf(owner).current?.deployment];
  const deployment = deployments.find((one) => one?.generation === generationOf(task.key));
  const prefix = deployment?.variants.find((variant) => variant.name === name)?.multiModel?.prefix;
  return prefix === undefined ? undefined : parseS3Uri(prefix + target);
}

const dimensionsOf = ({ task, owner }: StoredReport) => ({
  EndpointName: owner.name,
  VariantName: variantNameOf(task, owner),
});

const usageOf = (report: StoredReport): MetricData[] => usageMetrics(report.events, dimensionsOf(report));

async function storeUsage({ metrics }: Platform, tx: Writer, report: StoredReport): Promise<void> {
  const scope = { account: report.task.account, region: report.task.region };
  const { ofModels, loadedCounts } = modelMetrics(report.events, dimensionsOf(report));
  const data = [...usageOf(report), ...loadedCounts];
  if (data.length > 0) await metrics.put(tx, scope, metricNamespace, data);
  if (ofModels.length > 0) await metrics.put(tx, scope, "AWS/SageMaker", ofModels);
}

export const endpointTasks = (platform: Platform): TaskOwner => ({
  kind: rowKind(endpoint),
  planFor: (task, owner) => planFor(platform, task, owner),
  logStream: (task, owner) => ({
    group: logGroup(owner.name),
    stream: `${variantNameOf(task, owner)}/${instanceId(task.key)}`,
  }),
  roleArn,
  modelAt,
  store: (tx, report) => storeUsage(platform, tx, report),
});
