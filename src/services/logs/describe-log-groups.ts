import type { DescribeLogGroupsRequest, LogGroup } from "../../models/generated/logs.ts";
import type { Reader } from "../../database/store.ts";
import type { RequestContext } from "../service.ts";
import { operation } from "./context.ts";
import { invalidParameter } from "./errors.ts";
import { groupArn, nameBeginsWith, type LogGroupRow } from "./groups.ts";
import { cursorOf, tokenOf } from "./list-token.ts";

const maxPage = 50;

export const describeLogGroups = operation("DescribeLogGroups", async (input, ctx) => {
  if (input.logGroupNamePrefix !== undefined && input.logGroupNamePattern !== undefined)
    throw invalidParameter("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
  const limit = input.limit ?? maxPage;
  const rows = await find(input, ctx, limit + 1);
  const page = rows.slice(0, limit);
  const bytes = await storedBytes(
    ctx.store.read,
    page.map((row) => row.id),
  );
  const last = page.at(-1);
  return {
    logGroups: page.map((row) => shown(row, bytes.get(row.id) ?? 0)),
    ...(last && rows.length > limit && { nextToken: tokenOf([last.name]) }),
  };
});

async function find(input: DescribeLogGroupsRequest, ctx: RequestContext, count: number): Promise<LogGroupRow[]> {
  const { logGroupNamePrefix, logGroupNamePattern, logGroupClass, logGroupIdentifiers } = input;
  const [after] = cursorOf(input.nextToken, "string") ?? [];
  let query = ctx.store.read
    .selectFrom("log_groups")
    .selectAll()
    .where("account", "=", ctx.account)
    .where("region", "=", ctx.region);
  if (after !== undefined) query = query.where("name", ">", String(after));
  if (logGroupNamePrefix !== undefined) query = query.where(nameBeginsWith(logGroupNamePrefix));
  if (logGroupClass !== undefined) query = query.where("log_group_class", "=", logGroupClass);
  if (logGroupIdentifiers !== undefined) {
    const names = logGroupIdentifiers.map((identifier) => identifier.replace(/^arn:.*:log-group:/, ""));
    query = query.where("name", "in", names);
  }
  query = query.orderBy("name");
  if (logGroupNamePattern === undefined) return query.limit(count).execute();
  // Case matters in the pattern, which SQL's own search does not promise; groups are few.
  const rows = await query.execute();
  return rows.filter((row) => row.name.includes(logGroupNamePattern)).slice(0, count);
}

async function storedBytes(reader: Reader, ids: readonly number[]): Promise<Map<number, number>> {
  if (ids.length === 0) return new Map();
  const sums = await reader
    .selectFrom("log_streams")
    .select((eb) => ["group_id", eb.fn.sum<number | string>("stored_bytes").as("bytes")])
    .where("group_id", "in", ids)
    .groupBy("group_id")
    .execute();
  return new Map(sums.map(({ group_id, bytes }) => [group_id, Number(bytes)]));
}

const shown = (row: LogGroupRow, bytes: number): LogGroup => ({
  logGroupName: row.name,
  creationTime: row.created_at,
  ...(row.retention_days !== null && { retentionInDays: row.retention_days }),
  metricFilterCount: 0,
  arn: `${groupArn(row)}:*`,
  storedBytes: bytes,
  logGroupClass: row.log_group_class as NonNullable<LogGroup["logGroupClass"]>,
  logGroupArn: groupArn(row),
  deletionProtectionEnabled: row.is_protected !== 0,
});
