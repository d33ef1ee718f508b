import { firstBatchRows, nextBatchRows } from "./batch-rows.ts";
import type { GetLogEventsRequest } from "../../models/generated/logs.ts";
import type { Reader } from "../../database/store.ts";
import { sizeOf } from "./append-events.ts";
import { operation } from "./context.ts";
import { invalidParameter } from "./errors.ts";
import { backwardToken, end, forwardToken, justBefore, parseToken, start, type Place } from "./event-place.ts";
import { referencedGroup, retentionFloor } from "./groups.ts";
import { readStream, type LogEventRow, type StreamRange, type TimeWindow } from "./stream-events.ts";
import { requireStream } from "./streams.ts";

const maxEvents = 10_000;
const maxPageBytes = 1_048_576;
/** The most rows read at a time. */
const batchRows = 500;

/**
 * Without a token: the newest lines, or with startFromHead the oldest; always in order of time. At either end the answer is
 * empty and repeats the token it was asked with.
 */
export const getLogEvents = operation("GetLogEvents", async (input, ctx) => {
  const asked = askedWindow(input);
  const token = input.nextToken === undefined ? undefined : parseToken(input.nextToken);
  const group = await referencedGroup(ctx.store.read, ctx, input);
  const stream = await requireStream(ctx.store.read, group.id, input.logStreamName);
  const isForward = token?.isForward ?? input.startFromHead ?? false;
  const range = {
    streamId: stream.id,
    window: { ...asked, from: Math.max(asked.from, retentionFloor(group, ctx.clock.now())) },
    cut: token?.place ?? (isForward ? start : end),
    isForward,
  };
  const rows = await readPage(ctx.store.read, range, input.limit ?? maxEvents);
  if (!isForward) rows.reverse();
  return {
    events: rows.map((row) => ({ timestamp: row.at, message: row.message, ingestionTime: row.ingested_at })),
    ...tokens(rows, token?.place ?? start),
  };
});

function askedWindow({ startTime = 0, endTime = Number.MAX_SAFE_INTEGER }: GetLogEventsRequest): TimeWindow {
  if (startTime > endTime) throw invalidParameter("End time must not be earlier than start time.");
  return { from: startTime, before: endTime };
}

function tokens(rows: readonly LogEventRow[], asked: Place): { nextForwardToken: string; nextBackwardToken: string } {
  const [first, last] = [rows[0], rows.at(-1)];
  return {
    nextForwardToken: forwardToken(last ?? asked),
    nextBackwardToken: backwardToken(first ? justBefore(first) : asked),
  };
}

async function readPage(reader: Reader, range: StreamRange, limit: number): Promise<LogEventRow[]> {
  const page: LogEventRow[] = [];
  let bytes = 0;
  let { cut } = range;
  let batchLimit = firstBatchRows;
  for (;;) {
    const wanted = Math.min(limit - page.length, batchLimit);
    const batch = wanted > 0 ? await readStream(reader, { ...range, cut }, wanted) : [];
    for (const row of batch) {
      bytes += sizeOf({ timestamp: row.at, message: row.message });
      if (bytes > maxPageBytes && page.length > 0) return page;
      page.push(row);
    }
    const last = batch.at(-1);
    if (!last || batch.length < wanted) return page;
    cut = range.isForward ? last : justBefore(last);
    batchLimit = nextBatchRows(batch, maxPageBytes, batchRows);
  }
}
