import { sql, type SqlBool } from "kysely";
import type { AlarmHistoryTable } from "../../../database/tables/metrics.ts";
import type {
  AlarmHistoryItem,
  DescribeAlarmHistoryInput,
  HistoryItemType,
} from "../../../models/generated/cloudwatch.ts";
import type { RequestContext } from "../../service.ts";
import { operation } from "../context.ts";
import { partsOf, tokenOf } from "./find-alarms.ts";

const defaultRecords = 100;

/** Newest first unless ScanBy says otherwise. */
export const describeAlarmHistory = operation("DescribeAlarmHistory", async (input, ctx) => {
  const { AlarmTypes } = input;
  if (AlarmTypes && AlarmTypes.length > 0 && !AlarmTypes.includes("MetricAlarm")) return { AlarmHistoryItems: [] };
  const limit = input.MaxRecords ?? defaultRecords;
  const rows = await historyRows(input, ctx, limit + 1);
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    AlarmHistoryItems: shown.map(itemOf),
    ...(rows.length > limit && last && { NextToken: tokenOf([last.at, last.id]) }),
  };
});

function historyRows(
  input: DescribeAlarmHistoryInput,
  ctx: RequestContext,
  count: number,
): Promise<AlarmHistoryTable[]> {
  const { AlarmName, HistoryItemType, StartDate, EndDate, NextToken, ScanBy } = input;
  const isAscending = ScanBy === "TimestampAscending";
  let query = ctx.store.read
    .selectFrom("alarm_history")
    .selectAll()
    .where("account", "=", ctx.account)
    .where("region", "=", ctx.region);
  if (AlarmName !== undefined) query = query.where("name", "=", AlarmName);
  if (HistoryItemType !== undefined) query = query.where("type", "=", HistoryItemType);
  if (StartDate) query = query.where("at", ">=", StartDate.getTime());
  if (EndDate) query = query.where("at", "<=", EndDate.getTime());
  if (NextToken !== undefined) {
    const [at, id] = partsOf(NextToken);
    query = query.where(sql<SqlBool>`(at, id) ${sql.raw(isAscending ? ">" : "<")} (${Number(at)}, ${id})`);
  }
  const order = isAscending ? "asc" : "desc";
  return query.orderBy("at", order).orderBy("id", order).limit(count).execute();
}

const itemOf = ({ name, at, type, summary, data }: AlarmHistoryTable): AlarmHistoryItem => ({
  AlarmName: name,
  AlarmType: "MetricAlarm",
  Timestamp: new Date(at),
  HistoryItemType: type as HistoryItemType,
  HistorySummary: summary,
  HistoryData: data,
});
