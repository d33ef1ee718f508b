// Appends lines to a stream inside the caller's transaction.
import type { Writer } from "../../database/store.ts";
import type { LogEventsTable } from "../../database/tables/logs.ts";
import type { LogStreamRow } from "./streams.ts";

export interface LineEvent {
  /** ms since 1970 */
  readonly timestamp: number;
  readonly message: string;
}

/** What AWS counts besides the message's bytes. */
export const overheadBytes = 26;

export const sizeOf = (event: LineEvent): number => Buffer.byteLength(event.message) + overheadBytes;

/** Few distinct lengths keep the statements prepared. */
const insertLengths = [100, 10, 1];

/** The lines keep their order among equal times. Answers the sequence of the next line. */
export async function appendEvents(
  tx: Writer,
  stream: Pick<LogStreamRow, "id" | "group_id">,
  events: readonly LineEvent[],
  ingestedAt: Date,
): Promise<number> {
  const next = await noteOnStream(tx, stream.id, events, ingestedAt);
  const rows = events.map((event, index) => ({
    group_id: stream.group_id,
    stream_id: stream.id,
    at: event.timestamp,
    sequence: next - events.length + index,
    ingested_at: ingestedAt.getTime(),
    message: event.message,
  }));
  await insertRows(tx, rows);
  return next;
}

async function noteOnStream(tx: Writer, id: number, events: readonly LineEvent[], ingestedAt: Date): Promise<number> {
  let first = Infinity;
  let last = 0;
  let bytes = 0;
  for (const event of events) {
    first = Math.min(first, event.timestamp);
    last = Math.max(last, event.timestamp);
    bytes += sizeOf(event);
  }
  // The update comes first: it takes the sequences, and the row's lock where several servers write.
  const { next_sequence } = await tx
    .updateTable("log_streams")
    .set((eb) => ({
      first_event_at: eb
        .case()
        .when(eb.or([eb("first_event_at", "is", null), eb("first_event_at", ">", first)]))
        .then(first)
        .else(eb.ref("first_event_at"))
        .end(),
      last_event_at: eb.case().when("last_event_at", "<", last).then(last).else(eb.ref("last_event_at")).end(),
      ingested_at: ingestedAt.getTime(),
      stored_bytes: eb("stored_bytes", "+", bytes),
      next_sequence: eb("next_sequence", "+", events.length),
    }))
    .where("id", "=", id)
    .returning("next_sequence")
    .executeTakeFirstOrThrow();
  return next_sequence;
}

async function insertRows(tx: Writer, rows: readonly LogEventsTable[]): Promise<void> {
  let at = 0;
  for (const length of insertLengths) {
    for (; rows.length - at >= length; at += length) {
      await tx
        .insertInto("log_events")
        .values(rows.slice(at, at + length))
        .execute();
    }
  }
}
