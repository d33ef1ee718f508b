// A series is what CloudWatch calls a metric: a name in a namespace with one set of dimensions.
import type { Scope } from "../../database/resources.ts";
import type { Reader, Writer } from "../../database/store.ts";
import { numberId } from "../../lib/number-id.ts";
import type { Random } from "../../lib/random.ts";
import type { Dimension } from "../../models/generated/cloudwatch.ts";

export interface MetricName {
  readonly namespace: string;
  readonly name: string;
  /** As `dimensionsText` makes it. */
  readonly dimensions: string;
}

type DimensionPair = readonly [name: string, value: string];

/** Equal sets of dimensions give equal texts, in whatever order they were written. */
export function dimensionsText(pairs: readonly DimensionPair[]): string {
  const sorted = pairs.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return JSON.stringify(sorted);
}

export const textOfDimensions = (dimensions: readonly Dimension[] | undefined): string =>
  dimensionsText((dimensions ?? []).map(({ Name, Value }) => [Name, Value]));

// Written by us alone.
export const dimensionsOf = (text: string): Dimension[] =>
  (JSON.parse(text) as DimensionPair[]).map(([Name, Value]) => ({ Name, Value }));

export async function findSeries(
  reader: Reader,
  scope: Scope,
  metric: MetricName,
): Promise<{ readonly id: number; readonly last_put_at: number } | undefined> {
  return reader
    .selectFrom("metric_series")
    .select(["id", "last_put_at"])
    .where("account", "=", scope.account)
    .where("region", "=", scope.region)
    .where("namespace", "=", metric.namespace)
    .where("name", "=", metric.name)
    .where("dimensions", "=", metric.dimensions)
    .executeTakeFirst();
}

/** How exactly a series knows when it was last fed; coarse, so that a busy one is not written with every point. */
const activityMs = 60_000;

/** The id of the series, made if there is none; notes that data came in. */
export async function feedSeries(
  tx: Writer,
  scope: Scope,
  metric: MetricName,
  { now, random }: { readonly now: Date; readonly random: Random },
): Promise<number> {
  const last_put_at = now.getTime();
  const known = await findSeries(tx, scope, metric);
  if (!known) {
    const id = numberId(random);
    const { account, region } = scope;
    await tx
      .insertInto("metric_series")
      .values({ id, account, region, ...metric, last_put_at })
      .execute();
    return id;
  }
  if (last_put_at - known.last_put_at >= activityMs)
    await tx.updateTable("metric_series").set({ last_put_at }).where("id", "=", known.id).execute();
  return known.id;
}
