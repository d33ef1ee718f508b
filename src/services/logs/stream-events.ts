// Lines of one stream, as ranges of the primary key.
import { sql, type SqlBool } from "kysely";
import type { Reader } from "../../database/store.ts";
import type { LogEventsTable } from "../../database/tables/logs.ts";
import type { Place } from "./event-place.ts";

export type LogEventRow = LogEventsTable;

/** ms since 1970: `from` inclusive, `before` exclusive. */
export interface TimeWindow {
  readonly from: number;
  readonly before: number;
}

export interface StreamRange {
  readonly streamId: number;
  readonly window: TimeWindow;
  /** Forward: the lines after this cut, ascending. Backward: those up to it, descending. */
  readonly cut: Place;
  readonly isForward: boolean;
}

export async function readStream(reader: Reader, range: StreamRange, count: number): Promise<LogEventRow[]> {
  const { streamId, window, isForward } = range;
  const direction = isForward ? "asc" : "desc";
  const cut = firstCut(range);
  return reader
    .selectFrom("log_events")
    .selectAll()
    .where("stream_id", "=", streamId)
    .where("at", isForward ? "<" : ">=", isForward ? window.before : window.from)
    .where(sql<SqlBool>`(at, sequence) ${sql.raw(isForward ? ">" : "<=")} (${cut.at}, ${cut.sequence})`)
    .orderBy("at", direction)
    .orderBy("sequence", direction)
    .limit(count)
    .execute();
}

/** Cut and window in one bound: with two, SQLite starts at the window's and walks over all that was read before. */
function firstCut({ window, cut, isForward }: StreamRange): Place {
  if (isForward) return cut.at < window.from ? { at: window.from, sequence: 0 } : cut;
  return cut.at >= window.before ? { at: window.before, sequence: 0 } : cut;
}
