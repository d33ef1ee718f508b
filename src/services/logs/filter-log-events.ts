import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import type { FilteredLogEvent, FilterLogEventsRequest } from "../../models/generated/logs.ts";
import type { Reader } from "../../database/store.ts";
import type { RequestContext } from "../service.ts";
import { sizeOf } from "./append-events.ts";
import { operation } from "./context.ts";
import { invalidParameter } from "./errors.ts";
import { eventId } from "./event-place.ts";
import { mergeStreams, placeOf, scanGroup, type GroupPlace, type GroupRange } from "./event-scan.ts";
import { parseFilterPattern } from "./filter-pattern.ts";
import { nameBeginsWith, referencedGroup, retentionFloor, type LogGroupRow } from "./groups.ts";
import { cursorOf, tokenOf } from "./list-token.ts";
import type { LogEventRow } from "./stream-events.ts";
import { requireStream } from "./streams.ts";

const maxEvents = 10_000;
const maxPageBytes = 1_048_576;
/** One answer looks at no more lines than this; like AWS, it may be empty and carry a token. */
const maxScanned = 100_000;
/** Up to this many streams are read one by one. */
const maxMerged = 32;
const descendingSince = Date.UTC(2024, 0, 1);

/** Always interleaved, as on AWS since 2019; the token, not startFromHead, keeps the direction. */
export const filterLogEvents = operation("FilterLogEvents", async (input, ctx) => {
  checkInput(input);
  const reader = ctx.store.read;
  const matches = parseFilterPattern(input.filterPattern ?? "");
  const cursor = cursorOf(input.nextToken, "string", "number", "number", "number");
  const group = await referencedGroup(reader, ctx, input);
  const streams = await wantedStreams(reader, group.id, input);
  const range: GroupRange = {
    groupId: group.id,
    window: windowOf(input, group, ctx.clock.now()),
    cut: cursor && { at: Number(cursor[1]), streamId: Number(cursor[2]), sequence: Number(cursor[3]) },
    isForward: cursor ? cursor[0] === "f" : (input.startFromHead ?? true),
  };
  const page = await readPage(batchesOf(reader, streams, range), {
    test: (row) => (!streams || streams.has(row.stream_id)) && matches(row.message),
    limit: input.limit ?? maxEvents,
    signal: ctx.signal,
  });
  return {
    events: await named(reader, page.rows, streams),
    searchedLogStreams: [],
    ...(page.next && { nextToken: tokenOf([range.isForward ? "f" : "b", ...coordinates(page.next)]) }),
  };
});

const coordinates = ({ at, streamId, sequence }: GroupPlace): [number, number, number] => [at, streamId, sequence];

function checkInput(input: FilterLogEventsRequest): void {
  if (input.logStreamNames !== undefined && input.logStreamNamePrefix !== undefined)
    throw invalidParameter("logStreamNames and logStreamNamePrefix cannot be specified at the same time.");
  if (input.startTime !== undefined && input.endTime !== undefined && input.startTime > input.endTime)
    throw invalidParameter("End time must not be earlier than start time.");
  if (input.startFromHead === false && (input.startTime ?? 0) < descendingSince)
    throw invalidParameter("startFromHead can be false only when startTime is on or after Jan 1, 2024 00:00:00 UTC.");
}

const windowOf = ({ startTime = 0, endTime }: FilterLogEventsRequest, group: LogGroupRow, now: Date) => ({
  from: Math.max(startTime, retentionFloor(group, now)),
  // Here AWS includes the end.
  before: endTime === undefined ? Number.MAX_SAFE_INTEGER : endTime + 1,
});

/** Names by id of the streams that the request is about; undefined: all of the group. */
async function wantedStreams(
  reader: Reader,
  groupId: number,
  { logStreamNames, logStreamNamePrefix }: FilterLogEventsRequest,
): Promise<ReadonlyMap<number, string> | undefined> {
  if (logStreamNames !== undefined) {
    const names = new Map<number, string>();
    for (const name of logStreamNames) names.set((await requireStream(reader, groupId, name)).id, name);
    return names;
  }
  if (logStreamNamePrefix === undefined) return undefined;
  const rows = await reader
    .selectFrom("log_streams")
    .select(["id", "name"])
    .where("group_id", "=", groupId)
    .where(nameBeginsWith(logStreamNamePrefix))
    .execute();
  return new Map(rows.map(({ id, name }) => [id, name]));
}

function batchesOf(reader: Reader, streams: ReadonlyMap<number, string> | undefined, range: GroupRange) {
  if (!streams || streams.size > maxMerged) return scanGroup(reader, range);
  return mergeStreams(reader, [...streams.keys()], range);
}

interface Sieve {
  readonly test: (row: LogEventRow) => boolean;
  readonly limit: number;
  readonly signal: RequestContext["signal"];
}

async function readPage(
  batches: AsyncIterable<readonly LogEventRow[]>,
  { test, limit, signal }: Sieve,
): Promise<{ rows: LogEventRow[]; next?: GroupPlace }> {
  const rows: LogEventRow[] = [];
  let bytes = 0;
  let scanned = 0;
  let seen: LogEventRow | undefined;
  for await (const batch of batches) {
    // A full page or an old budget ends only where another line follows: the last page has no token.
    if (seen && (rows.length >= limit || scanned >= maxScanned)) return { rows, next: placeOf(seen) };
    for (const row of batch) {
      if (test(row)) {
        bytes += sizeOf({ timestamp: row.at, message: row.message });
        const isFull = rows.length >= limit || (bytes > maxPageBytes && rows.length > 0);
        if (isFull && seen) return { rows, next: placeOf(seen) };
        rows.push(row);
      }
      seen = row;
    }
    scanned += batch.length;
    signal.throwIfAborted();
    await turnOfTheLoop();
  }
  return { rows };
}

async function named(
  reader: Reader,
  rows: readonly LogEventRow[],
  known: ReadonlyMap<number, string> | undefined,
): Promise<FilteredLogEvent[]> {
  const names = known ?? (await namesOf(reader, new Set(rows.map((row) => row.stream_id))));
  return rows.flatMap((row) => {
    const logStreamName = names.get(row.stream_id);
    // Its stream was deleted, its lines are not swept yet.
    if (logStreamName === undefined) return [];
    return {
      logStreamName,
      timestamp: row.at,
      message: row.message,
      ingestionTime: row.ingested_at,
      eventId: eventId(row.stream_id, row),
    };
  });
}

async function namesOf(reader: Reader, ids: ReadonlySet<number>): Promise<Map<number, string>> {
  const names = new Map<number, string>();
  const all = [...ids];
  for (let at = 0; at < all.length; at += 500) {
    const rows = await reader
      .selectFrom("log_streams")
      .select(["id", "name"])
      .where("id", "in", all.slice(at, at + 500))
      .execute();
    for (const { id, name } of rows) names.set(id, name);
  }
  return names;
}
