// How other rooms write lines: inside their own transaction, with group and stream made on demand.
import type { Scope } from "../../database/resources.ts";
import type { Writer } from "../../database/store.ts";
import type { Clock } from "../../lib/clock.ts";
import { numberId } from "../../lib/number-id.ts";
import type { Random } from "../../lib/random.ts";
import { appendEvents, type LineEvent } from "./append-events.ts";
import { findGroup, insertGroup, type LogGroupRow } from "./groups.ts";
import { findStream, insertStream, newStream, type LogStreamRow } from "./streams.ts";

export interface LogLines {
  /** Appends in the caller's transaction, so that a report and its cursor are stored together or not at all. */
  append(
    tx: Writer,
    scope: Scope,
    group: string,
    stream: string,
    events: readonly { readonly timestamp: number; readonly message: string }[],
  ): Promise<void>;
}

export const newGroup = (id: number, { account, region }: Scope, name: string, now: Date): LogGroupRow => ({
  id,
  account,
  region,
  name,
  created_at: now.getTime(),
  retention_days: null,
  log_group_class: "STANDARD",
  is_protected: 0,
  tags: "{}",
});

export function createLogLines({ clock, random }: { readonly clock: Clock; readonly random: Random }): LogLines {
  async function groupFor(tx: Writer, scope: Scope, name: string): Promise<LogGroupRow> {
    const known = await findGroup(tx, scope, name);
    if (known) return known;
    const made = newGroup(numberId(random), scope, name, clock.now());
    await insertGroup(tx, made);
    return made;
  }

  async function streamFor(tx: Writer, groupId: number, name: string): Promise<LogStreamRow> {
    const known = await findStream(tx, groupId, name);
    if (known) return known;
    const made = newStream(numberId(random), groupId, name, clock.now());
    await insertStream(tx, made);
    return made;
  }

  return {
    append: async (tx, scope, group, stream, events: readonly LineEvent[]) => {
      if (events.length === 0) return;
      const { id } = await groupFor(tx, scope, group);
      await appendEvents(tx, await streamFor(tx, id, stream), events, clock.now());
    },
  };
}
