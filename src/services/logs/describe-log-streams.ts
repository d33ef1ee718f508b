import { sql, type SqlBool } from "kysely";
import type { DescribeLogStreamsRequest, LogStream } from "../../models/generated/logs.ts";
import type { Reader } from "../../database/store.ts";
import { operation } from "./context.ts";
import { invalidParameter } from "./errors.ts";
import { groupArn, nameBeginsWith, referencedGroup, type LogGroupRow } from "./groups.ts";
import { cursorOf, tokenOf } from "./list-token.ts";
import { sequenceToken } from "./event-place.ts";
import type { LogStreamRow } from "./streams.ts";

const maxPage = 50;

export const describeLogStreams = operation("DescribeLogStreams", async (input, ctx) => {
  const byTime = input.orderBy === "LastEventTime";
  if (byTime && input.logStreamNamePrefix !== undefined)
    throw invalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.");
  const group = await referencedGroup(ctx.store.read, ctx, input);
  const limit = input.limit ?? maxPage;
  const rows = await find(ctx.store.read, group.id, input, limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    logStreams: page.map((row) => shown(group, row)),
    ...(last && rows.length > limit && { nextToken: tokenOf(byTime ? [last.last_event_at, last.name] : [last.name]) }),
  };
});

async function find(
  reader: Reader,
  groupId: number,
  input: DescribeLogStreamsRequest,
  count: number,
): Promise<LogStreamRow[]> {
  const direction = input.descending ? "desc" : "asc";
  const past = input.descending ? sql.raw("<") : sql.raw(">");
  let query = reader.selectFrom("log_streams").selectAll().where("group_id", "=", groupId).limit(count);
  if (input.orderBy === "LastEventTime") {
    const cursor = cursorOf(input.nextToken, "number", "string");
    if (cursor) query = query.where(sql<SqlBool>`(last_event_at, name) ${past} (${cursor[0]}, ${cursor[1]})`);
    return query.orderBy("last_event_at", direction).orderBy("name", direction).execute();
  }
  const cursor = cursorOf(input.nextToken, "string");
  if (cursor) query = query.where(sql<SqlBool>`name ${past} ${cursor[0]}`);
  if (input.logStreamNamePrefix !== undefined) query = query.where(nameBeginsWith(input.logStreamNamePrefix));
  return query.orderBy("name", direction).execute();
}

const shown = (group: LogGroupRow, row: LogStreamRow): LogStream => ({
  logStreamName: row.name,
  creationTime: row.created_at,
  ...(row.first_event_at !== null && {
    firstEventTimestamp: row.first_event_at,
    lastEventTimestamp: row.last_event_at,
  }),
  ...(row.ingested_at !== null && { lastIngestionTime: row.ingested_at }),
  uploadSequenceToken: sequenceToken(row.next_sequence),
  arn: `${groupArn(group)}:log-stream:${row.name}`,
  // AWS reports zero for streams since 2019.
  storedBytes: 0,
});
