// Reads the lines of several streams in one order: time, then stream, then arrival. A whole group is a range of an index; a
// few of its streams are ranges of their own, merged, so that one job's lines never cost a look at everybody's.
import { firstBatchRows, nextBatchRows } from "./batch-rows.ts";
import { sql, type SqlBool } from "kysely";
import type { Reader } from "../../database/store.ts";
import { end, start, type Place } from "./event-place.ts";
import { readStream, type LogEventRow, type TimeWindow } from "./stream-events.ts";

/** A place among the lines of a group. */
export interface GroupPlace extends Place {
  readonly streamId: number;
}

export interface GroupRange {
  readonly groupId: number;
  readonly window: TimeWindow;
  /** Exclusive; undefined: from the beginning (or, backward, from the end). */
  readonly cut: GroupPlace | undefined;
  readonly isForward: boolean;
}

const batchRows = 2_000;
const batchBytes = 4_000_000;

export const placeOf = (row: LogEventRow): GroupPlace => ({
  at: row.at,
  streamId: row.stream_id,
  sequence: row.sequence,
});

/** Batches of the group's lines; never an empty one. */
export async function* scanGroup(reader: Reader, range: GroupRange): AsyncGenerator<readonly LogEventRow[]> {
  const { groupId, window, isForward } = range;
  const direction = isForward ? "asc" : "desc";
  const past = sql.raw(isForward ? ">" : "<");
  let cut = firstCutOf(range);
  let wanted = firstBatchRows;
  for (;;) {
    const query = reader
      .selectFrom("log_events")
      .selectAll()
      .where("group_id", "=", groupId)
      .where("at", isForward ? "<" : ">=", isForward ? window.before : window.from)
      .where(sql<SqlBool>`(at, stream_id, sequence) ${past} (${cut.at}, ${cut.streamId}, ${cut.sequence})`);
    const rows = await query
      .orderBy("at", direction)
      .orderBy("stream_id", direction)
      .orderBy("sequence", direction)
      .limit(wanted)
      .execute();
    const last = rows.at(-1);
    if (!last) return;
    yield rows;
    if (rows.length < wanted) return;
    cut = placeOf(last);
    wanted = nextBatchRows(rows, batchBytes, batchRows);
  }
}

/** Cut and window in one bound, as in stream-events.ts. */
function firstCutOf({ window, cut, isForward }: GroupRange): GroupPlace {
  const edge = { at: isForward ? window.from : window.before, streamId: 0, sequence: 0 };
  if (!cut) return edge;
  const isOutside = isForward ? cut.at < window.from : cut.at >= window.before;
  return isOutside ? edge : cut;
}

interface Lane {
  readonly streamId: number;
  rows: readonly LogEventRow[];
  next: number;
  cut: Place;
  wantedRows: number;
}

/** The same for some of its streams. */
export async function* mergeStreams(
  reader: Reader,
  streamIds: readonly number[],
  range: GroupRange,
): AsyncGenerator<readonly LogEventRow[]> {
  const { window, isForward } = range;
  const laneRows = Math.max(50, Math.floor(batchRows / Math.max(1, streamIds.length)));
  const laneBytes = Math.floor(batchBytes / Math.max(1, streamIds.length));
  const wantedRows = Math.max(2, Math.floor(firstBatchRows / Math.max(1, streamIds.length)));
  let lanes: Lane[] = streamIds.map((streamId) => ({
    streamId,
    rows: [],
    next: 0,
    cut: firstCut(streamId, range),
    wantedRows,
  }));
  while (lanes.length > 0) {
    for (const lane of lanes.filter(({ rows, next }) => next === rows.length)) {
      lane.rows = await readStream(
        reader,
        { streamId: lane.streamId, window, cut: lane.cut, isForward },
        lane.wantedRows,
      );
      if (lane.rows.length > 0) lane.wantedRows = nextBatchRows(lane.rows, laneBytes, laneRows);
      lane.next = 0;
      const last = lane.rows.at(-1);
      if (last) lane.cut = isForward ? last : { at: last.at, sequence: last.sequence - 1 };
    }
    lanes = lanes.filter(({ rows }) => rows.length > 0);
    const batch = takeUntilOneIsEmpty(lanes, isForward);
    if (batch.length > 0) yield batch;
  }
}

/** A stream's own cut for a place that may lie in another stream of the same time. */
function firstCut(streamId: number, { cut, isForward }: GroupRange): Place {
  if (!cut) return isForward ? start : end;
  if (streamId === cut.streamId) return isForward ? cut : { at: cut.at, sequence: cut.sequence - 1 };
  return { at: cut.at, sequence: streamId < cut.streamId ? Number.MAX_SAFE_INTEGER : 0 };
}

function takeUntilOneIsEmpty(lanes: readonly Lane[], isForward: boolean): LogEventRow[] {
  const taken: LogEventRow[] = [];
  if (lanes.length === 0) return taken;
  for (;;) {
    let best: Lane | undefined;
    for (const lane of lanes) {
      const row = lane.rows[lane.next];
      if (!row) return taken;
      if (!best || isBefore(row, best.rows[best.next]!) === isForward) best = lane;
    }
    if (best) taken.push(best.rows[best.next++]!);
  }
}

const isBefore = (a: LogEventRow, b: LogEventRow): boolean => (a.at === b.at ? a.stream_id < b.stream_id : a.at < b.at);
