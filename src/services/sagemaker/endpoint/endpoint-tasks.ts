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
    ...taskHead(platform, task),
    purpose: "hosting",
    program: await servingProgram({ ...variant, ...place, roleArn: variant.roleArn ?? "" }, platform),
    // Instances of an endpoint do not know each other: each is alone on its network.
    network: { host: hostName(1), addresses: jobAddresses(task.key, 1), isAlone: variant.isAlone },
    environment: {
      ...variant.environment,
      ...regionVariables(task.region),
      ENDPOINT_NAME: endpointName,
    },
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

function usageOf({ task, owner, events }: StoredReport): MetricData[] {
  const dimensions = { EndpointName: owner.name, VariantName: variantNameOf(task, owner) };
  return usageMetrics(events, dimensions);
}

async function storeUsage({ metrics }: Platform, tx: Writer, report: StoredReport): Promise<void> {
  const data = usageOf(report);
  if (data.length === 0) return;
  await metrics.put(tx, { account: report.task.account, region: report.task.region }, metricNamespace, data);
}

export const endpointTasks = (platform: Platform): TaskOwner => ({
  kind: rowKind(endpoint),
  planFor: (task, owner) => planFor(platform, task, owner),
  logStream: (task, owner) => ({
    group: logGroup(owner.name),
    stream: `${variantNameOf(task, owner)}/${instanceId(task.key)}`,
  }),
  roleArn,
  store: (tx, report) => storeUsage(platform, tx, report),
});
