// Empties the outbox: at least once, and of one key and destination in order, since only the oldest is ever under way.
import type { Selectable } from "kysely";
import type { Store } from "../../../database/store.ts";
import type { ObjectTables } from "../../../database/tables/objects.ts";
import { minutes, seconds, type Clock } from "../../../lib/clock.ts";
import type { Log } from "../../../lib/log.ts";
import type { Random } from "../../../lib/random.ts";
import type { Destinations } from "./destinations.ts";
import type { PostJson } from "./post-json.ts";

export interface DeliveryParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly destinations: Destinations;
  readonly post: PostJson;
}

type EventRow = Selectable<ObjectTables["object_events"]>;

const batchSize = 64;
/** A server that took an event and was killed leaves it to others after this. */
const claimMs = seconds(60);
const longestBackOffMs = minutes(5);
const longestKeptMs = minutes(7 * 24 * 60);

/** Those that are due and have no older one of their key and destination before them. */
const dueEvents = ({ store, clock }: DeliveryParts): Promise<EventRow[]> =>
  store.read
    .selectFrom("object_events as event")
    .selectAll("event")
    .where("event.due_at", "<=", clock.now().getTime())
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom("object_events as older")
            .select("older.position")
            .whereRef("older.bucket", "=", "event.bucket")
            .whereRef("older.key", "=", "event.key")
            .whereRef("older.destination", "=", "event.destination")
            .whereRef("older.position", "<", "event.position"),
        ),
      ),
    )
    .orderBy("event.due_at")
    .limit(batchSize)
    .execute();

/** False where another server has it. */
async function claim({ store, clock }: DeliveryParts, event: EventRow): Promise<boolean> {
  const due_at = clock.now().getTime() + claimMs;
  const { numUpdatedRows } = await store.write((tx) =>
    tx
      .updateTable("object_events")
      .set({ due_at, attempts: event.attempts + 1 })
      .where("bucket", "=", event.bucket)
      .where("key", "=", event.key)
      .where("destination", "=", event.destination)
      .where("position", "=", event.position)
      .where("attempts", "=", event.attempts)
      .executeTakeFirst(),
  );
  return Number(numUpdatedRows) === 1;
}

async function remove({ store }: DeliveryParts, event: EventRow): Promise<void> {
  await store.write((tx) =>
    tx
      .deleteFrom("object_events")
      .where("bucket", "=", event.bucket)
      .where("key", "=", event.key)
      .where("destination", "=", event.destination)
      .where("position", "=", event.position)
      .execute(),
  );
}

async function putOff({ store, clock, random }: DeliveryParts, event: EventRow): Promise<void> {
  const backOffMs = Math.min(seconds(1) * 2 ** Math.min(event.attempts, 16), longestBackOffMs);
  const due_at = Math.round(clock.now().getTime() + backOffMs * (1 - 0.25 * random.fraction()));
  await store.write((tx) =>
    tx
      .updateTable("object_events")
      .set({ due_at })
      .where("bucket", "=", event.bucket)
      .where("key", "=", event.key)
      .where("destination", "=", event.destination)
      .where("position", "=", event.position)
      .execute(),
  );
}

/** True once the event has left the outbox. */
async function deliver(parts: DeliveryParts, event: EventRow): Promise<boolean> {
  if (!(await claim(parts, event))) return false;
  const { destination, bucket, key } = event;
  const url = parts.destinations.urlOf(destination);
  try {
    if (url === undefined) throw new Error("no webhook is set for it");
    await parts.post(url, event.body, { "x-salvia-destination": destination });
  } catch (error) {
    const isGivenUp = parts.clock.now().getTime() - event.created_at > longestKeptMs;
    parts.log.warn(isGivenUp ? "event given up" : "event not delivered yet", { destination, bucket, key, error });
    await (isGivenUp ? remove(parts, event) : putOff(parts, event));
    return isGivenUp;
  }
  await remove(parts, event);
  return true;
}

/** Goes on as long as events leave the outbox. */
export async function deliverEvents(parts: DeliveryParts): Promise<void> {
  if (parts.destinations.isEmpty) return;
  for (;;) {
    const due = await dueEvents(parts);
    const delivered = await Promise.all(due.map((event) => deliver(parts, event)));
    if (!delivered.includes(true)) return;
  }
}
