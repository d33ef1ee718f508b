// Endpoints that serve and that nobody asks: what each of their hours costs.
import type { Reader } from "../../../database/store.ts";
import type { Prices } from "../../../compute/prices.ts";
import { unpack } from "../../../lib/stored-json.ts";
import { totalInstances } from "../endpoint/deployment.ts";
import type { EndpointStatus } from "../endpoint/endpoint.resource.ts";

export interface IdleEndpoint {
  readonly name: string;
  readonly region: string;
  readonly instances: number;
  readonly instanceTypes: readonly string[];
  /** ISO 8601; absent: it was never asked. */
  readonly lastInvocation?: string;
  readonly idleHours: number;
  /** US dollars; absent: a type has no price. */
  readonly costPerHour?: number;
}

export interface IdleWanted {
  readonly account: string;
  readonly now: Date;
  readonly idleHours: number;
}

/** When the endpoint was last asked, by "region/name". Counts reach CloudWatch at most ten seconds later. */
async function lastInvocations(reader: Reader, account: string): Promise<Map<string, number>> {
  const series = await reader
    .selectFrom("metric_series")
    .innerJoin("metric_points", "metric_points.series_id", "metric_series.id")
    .select(["metric_series.region", "metric_series.dimensions"])
    .select((eb) => eb.fn.max("metric_points.at").as("last"))
    .where("metric_series.account", "=", account)
    .where("metric_series.namespace", "=", "AWS/SageMaker")
    .where("metric_series.name", "=", "Invocations")
    .groupBy(["metric_series.region", "metric_series.dimensions"])
    .execute();
  const latest = new Map<string, number>();
  for (const { region, dimensions, last } of series) {
    const name = (JSON.parse(dimensions) as [string, string][]).find(([key]) => key === "EndpointName")?.[1];
    const key = `${region}/${name ?? ""}`;
    latest.set(key, Math.max(latest.get(key) ?? 0, last));
  }
  return latest;
}

export async function idleEndpoints(
  reader: Reader,
  { account, now, idleHours }: IdleWanted,
  prices: Prices,
): Promise<IdleEndpoint[]> {
  const rows = await reader
    .selectFrom("resources")
    .selectAll()
    .where("account", "=", account)
    .where("kind", "=", "sagemaker/endpoint")
    .where("state", "=", "InService")
    .execute();
  const latest = await lastInvocations(reader, account);
  const found = rows.flatMap(({ region, name, status, created_at }): IdleEndpoint[] => {
    const { current } = unpack(status) as EndpointStatus;
    if (!current) return [];
    const { deployment } = current;
    const last = latest.get(`${region}/${name}`);
    // An update, or an instance more, is no request.
    const hours = (now.getTime() - (last ?? created_at)) / 3_600_000;
    if (hours < idleHours) return [];
    const costs = deployment.variants.map(({ instanceType, instanceCount }) => {
      const price = prices.perHour(instanceType);
      return price === undefined ? undefined : price * instanceCount;
    });
    const isPriced = costs.every((cost) => cost !== undefined);
    return [
      {
        name,
        region,
        instances: totalInstances(deployment),
        instanceTypes: [...new Set(deployment.variants.map(({ instanceType }) => instanceType))],
        ...(last === undefined ? {} : { lastInvocation: new Date(last).toISOString() }),
        idleHours: hours,
        ...(isPriced ? { costPerHour: costs.reduce<number>((sum, cost) => sum + (cost ?? 0), 0) } : {}),
      },
    ];
  });
  return found.sort((a, b) => (b.costPerHour ?? 0) - (a.costPerHour ?? 0) || (a.name < b.name ? -1 : 1));
}
