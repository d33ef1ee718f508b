import { invalidValue } from "./errors.ts";
import { operation } from "./context.ts";
import { dimensionsOf } from "./series.ts";
import type { ListMetricsInput, Metric } from "../../models/generated/cloudwatch.ts";
import type { Reader } from "../../database/store.ts";
import type { MetricSeriesTable } from "../../database/tables/metrics.ts";
import type { RequestContext } from "../service.ts";
import { sql, type SqlBool } from "kysely";

const maxPage = 500;
const batchRows = 2_000;
const hourMs = 3_600_000;
/** AWS lists what had data within two weeks. */
const listedMs = 14 * 24 * hourMs;

type Cursor = readonly [namespace: string, name: string, dimensions: string];

/** In order of namespace, name and dimensions; the token is the last one shown, so pages survive new metrics. */
export const listMetrics = operation("ListMetrics", async (input, ctx) => {
  const metrics: Metric[] = [];
  let cursor = cursorOf(input.NextToken);
  for (;;) {
    const rows = await readBatch(ctx.store.read, input, ctx, cursor);
    for (const row of rows) {
      const metric = { Namespace: row.namespace, MetricName: row.name, Dimensions: dimensionsOf(row.dimensions) };
      if (hasDimensions(metric, input)) {
        if (metrics.length === maxPage) return { Metrics: metrics, NextToken: tokenOf(cursor) };
        metrics.push(metric);
      }
      cursor = [row.namespace, row.name, row.dimensions];
    }
    if (rows.length < batchRows) return { Metrics: metrics };
  }
});

function readBatch(
  reader: Reader,
  input: ListMetricsInput,
  ctx: RequestContext,
  cursor: Cursor | undefined,
): Promise<MetricSeriesTable[]> {
  const activeMs = input.RecentlyActive === undefined ? listedMs : 3 * hourMs;
  let query = reader
    .selectFrom("metric_series")
    .selectAll()
    .where("account", "=", ctx.account)
    .where("region", "=", ctx.region)
    .where("last_put_at", ">=", ctx.clock.now().getTime() - activeMs);
  if (input.Namespace !== undefined) query = query.where("namespace", "=", input.Namespace);
  if (input.MetricName !== undefined) query = query.where("name", "=", input.MetricName);
  if (cursor)
    query = query.where(sql<SqlBool>`(namespace, name, dimensions) > (${cursor[0]}, ${cursor[1]}, ${cursor[2]})`);
  return query.orderBy("namespace").orderBy("name").orderBy("dimensions").limit(batchRows).execute();
}

const hasDimensions = ({ Dimensions = [] }: Metric, { Dimensions: wanted = [] }: ListMetricsInput): boolean =>
  wanted.every(({ Name, Value }) =>
    Dimensions.some((dimension) => dimension.Name === Name && (Value === undefined || dimension.Value === Value)),
  );

const tokenOf = (cursor: Cursor | undefined): string => Buffer.from(JSON.stringify(cursor)).toString("base64url");

function cursorOf(token: string | undefined): Cursor | undefined {
  if (token === undefined) return undefined;
  const cursor = parsed(token);
  if (!Array.isArray(cursor) || cursor.length !== 3 || cursor.some((part) => typeof part !== "string"))
    throw invalidValue("The value for parameter NextToken is invalid.");
  const [namespace, name, dimensions] = cursor as [string, string, string];
  return [namespace, name, dimensions];
}

function parsed(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, "base64url").toString());
  } catch {
    throw invalidValue("The value for parameter NextToken is invalid.");
  }
}
