// Removes the lines of deleted streams and those past their group's retention, a few thousand a transaction, so that nobody
// waits long behind it. May be interrupted and run again at any point.
import { sql, type SqlBool } from "kysely";
import type { Store, Writer } from "../../database/store.ts";
import { overheadBytes } from "./append-events.ts";
import { retentionFloor } from "./groups.ts";

const linesPerTransaction = 5_000;

export async function sweep(store: Store, now: Date): Promise<void> {
  const garbage = await store.read.selectFrom("log_garbage").select("stream_id").execute();
  for (const { stream_id } of garbage) await removeStream(store, stream_id);
  const groups = await store.read
    .selectFrom("log_groups")
    .select(["id", "retention_days"])
    .where("retention_days", "is not", null)
    .execute();
  await removeQueries(store, now);
  for (const group of groups) await removeExpired(store, group.id, retentionFloor(group, now));
}

const queriesKeptMs = 7 * 86_400_000;

async function removeQueries(store: Store, now: Date): Promise<void> {
  const floor = now.getTime() - queriesKeptMs;
  await store.write((tx) =>
    tx.deleteFrom("resources").where("kind", "=", "logs/query").where("created_at", "<", floor).execute(),
  );
}

async function removeStream(store: Store, streamId: number): Promise<void> {
  let hasMore = true;
  while (hasMore) {
    hasMore = await store.write(async (tx) => {
      const last = await tx
        .selectFrom("log_events")
        .select(["at", "sequence"])
        .where("stream_id", "=", streamId)
        .orderBy("at")
        .orderBy("sequence")
        .offset(linesPerTransaction - 1)
        .limit(1)
        .executeTakeFirst();
      let lines = tx.deleteFrom("log_events").where("stream_id", "=", streamId);
      if (last) lines = lines.where(sql<SqlBool>`(at, sequence) <= (${last.at}, ${last.sequence})`);
      await lines.execute();
      if (!last) await tx.deleteFrom("log_garbage").where("stream_id", "=", streamId).execute();
      return last !== undefined;
    });
  }
}

async function removeExpired(store: Store, groupId: number, floor: number): Promise<void> {
  let hasMore = true;
  while (hasMore) {
    hasMore = await store.write(async (tx) => {
      const last = await tx
        .selectFrom("log_events")
        .select(["at", "stream_id", "sequence"])
        .where("group_id", "=", groupId)
        .where("at", "<", floor)
        .orderBy("at")
        .orderBy("stream_id")
        .orderBy("sequence")
        .offset(linesPerTransaction - 1)
        .limit(1)
        .executeTakeFirst();
      const isGone = last
        ? sql<SqlBool>`(at, stream_id, sequence) <= (${last.at}, ${last.stream_id}, ${last.sequence})`
        : sql<SqlBool>`at < ${floor}`;
      await noteRemoval(tx, groupId, isGone);
      await tx.deleteFrom("log_events").where("group_id", "=", groupId).where(isGone).execute();
      return last !== undefined;
    });
  }
  await correctFirstEvents(store, groupId, floor);
}

async function noteRemoval(tx: Writer, groupId: number, isGone: ReturnType<typeof sql<SqlBool>>): Promise<void> {
  const removed = await tx
    .selectFrom("log_events")
    .select(["stream_id", sql<number | string>`sum(octet_length(message) + ${overheadBytes})`.as("bytes")])
    .where("group_id", "=", groupId)
    .where(isGone)
    .groupBy("stream_id")
    .execute();
  for (const { stream_id, bytes } of removed) {
    await tx
      .updateTable("log_streams")
      .set((eb) => ({ stored_bytes: eb("stored_bytes", "-", Number(bytes)) }))
      .where("id", "=", stream_id)
      .execute();
  }
}

async function correctFirstEvents(store: Store, groupId: number, floor: number): Promise<void> {
  await store.write(async (tx) => {
    const streams = await tx
      .selectFrom("log_streams")
      .select("id")
      .where("group_id", "=", groupId)
      .where("first_event_at", "<", floor)
      .execute();
    for (const { id } of streams) {
      const { first } = await tx
        .selectFrom("log_events")
        .select((eb) => eb.fn.min<number | null>("at").as("first"))
        .where("stream_id", "=", id)
        .executeTakeFirstOrThrow();
      // A stream whose lines are all gone looks as if it never had one.
      const left = first === null ? { first_event_at: null, last_event_at: 0 } : { first_event_at: first };
      await tx.updateTable("log_streams").set(left).where("id", "=", id).execute();
    }
  });
}
