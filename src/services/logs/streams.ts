// Rows of log streams.
import type { Reader, Writer } from "../../database/store.ts";
import type { LogStreamsTable } from "../../database/tables/logs.ts";
import { streamNotFound } from "./errors.ts";

export type LogStreamRow = LogStreamsTable;

export async function findStream(reader: Reader, groupId: number, name: string): Promise<LogStreamRow | undefined> {
  return reader
    .selectFrom("log_streams")
    .selectAll()
    .where("group_id", "=", groupId)
    .where("name", "=", name)
    .executeTakeFirst();
}

export async function requireStream(reader: Reader, groupId: number, name: string): Promise<LogStreamRow> {
  const stream = await findStream(reader, groupId, name);
  if (!stream) throw streamNotFound();
  return stream;
}

export const newStream = (id: number, groupId: number, name: string, now: Date): LogStreamRow => ({
  id,
  group_id: groupId,
  name,
  created_at: now.getTime(),
  first_event_at: null,
  last_event_at: 0,
  ingested_at: null,
  stored_bytes: 0,
  next_sequence: 1,
});

export async function insertStream(tx: Writer, row: LogStreamRow): Promise<void> {
  await tx.insertInto("log_streams").values(row).execute();
}

/** The stream is gone at once; the sweeper removes its lines. */
export async function discardStream(tx: Writer, streamId: number): Promise<void> {
  await tx.insertInto("log_garbage").values({ stream_id: streamId }).execute();
  await tx.deleteFrom("log_streams").where("id", "=", streamId).execute();
}
