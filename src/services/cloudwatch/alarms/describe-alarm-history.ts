import { sql, type SqlBool } from "kysely";
import type { HistoryItemType } from "../../../models/generated/cloudwatch.ts";
import { operation } from "../context.ts";
import { partsOf, tokenOf } from "./find-alarms.ts";

const defaultRecords = 100;

/** Newest first unless ScanBy says otherwise. */
export const describeAlarmHistory = operation("DescribeAlarmHistory", async (input, ctx) => {
  const { AlarmName, AlarmTypes, HistoryItemType, StartDate, EndDate, NextToken } = input;
  if (AlarmTypes && AlarmTypes.length > 0 && !AlarmTypes.includes("MetricAlarm")) return { AlarmHistoryItems: [] };
  const isAscending = input.ScanBy === "TimestampAscending";
  const limit = input.MaxRecords ?? defaultRecords;
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
    const behind = isAscending ? sql.raw(">") : sql.raw("<");
    query = query.where(sql<SqlBool>`(at, id) ${behind} (${Number(at)}, ${id})`);
  }
  const order = isAscending ? "asc" : "desc";
  const rows = await query
    .orderBy("at", order)
    .orderBy("id", order)
    .limit(limit + 1)
    .execute();
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    AlarmHistoryItems: shown.map(({ name, at, type, summary, data }) => ({
      AlarmName: name,
      AlarmType: "MetricAlarm" as const,
      Timestamp: new Date(at),
      HistoryItemType: type as HistoryItemType,
      HistorySummary: summary,
      HistoryData: data,
    })),
    ...(rows.length > limit && last && { NextToken: tokenOf([last.at, last.id]) }),
  };
});
