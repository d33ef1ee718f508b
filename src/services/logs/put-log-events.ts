import type { InputLogEvent, RejectedLogEventsInfo } from "../../models/generated/logs.ts";
import { appendEvents, sizeOf } from "./append-events.ts";
import { operation } from "./context.ts";
import { invalidParameter } from "./errors.ts";
import { sequenceToken } from "./event-place.ts";
import { requireGroup, retentionFloor } from "./groups.ts";
import { requireStream } from "./streams.ts";

const maxBatchBytes = 1_048_576;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export const putLogEvents = operation("PutLogEvents", async (input, ctx) => {
  checkBatch(input.logEvents);
  const now = ctx.clock.now();
  return ctx.store.write(async (tx) => {
    const group = await requireGroup(tx, ctx, input.logGroupName);
    const stream = await requireStream(tx, group.id, input.logStreamName);
    const { accepted, rejected } = sortOut(input.logEvents, now, retentionFloor(group, now));
    const next = accepted.length > 0 ? await appendEvents(tx, stream, accepted, now) : stream.next_sequence;
    return { nextSequenceToken: sequenceToken(next), ...(rejected && { rejectedLogEventsInfo: rejected }) };
  });
});

/** Rules that refuse the whole batch (PutLogEvents' API page). */
function checkBatch(events: readonly InputLogEvent[]): void {
  const bytes = events.reduce((sum, event) => sum + sizeOf(event), 0);
  if (bytes > maxBatchBytes)
    throw invalidParameter(`Upload too large: ${bytes} bytes exceeds limit of ${maxBatchBytes}`);
  const isOrdered = events.every((event, index) => index === 0 || event.timestamp >= events[index - 1]!.timestamp);
  if (!isOrdered) throw invalidParameter("Log events in a single PutLogEvents request must be in chronological order.");
  const first = events[0];
  const last = events.at(-1);
  if (first && last && last.timestamp - first.timestamp > dayMs)
    throw invalidParameter("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
}

/** Single lines that are too old or too new are left out and named; the batch is in order, so each sort is one range. */
function sortOut(
  events: readonly InputLogEvent[],
  now: Date,
  keptSince: number,
): { accepted: InputLogEvent[]; rejected: RejectedLogEventsInfo | undefined } {
  const countBefore = (time: number): number => events.filter((event) => event.timestamp < time).length;
  const expired = countBefore(keptSince);
  const tooOld = countBefore(now.getTime() - 14 * dayMs);
  const tooNew = countBefore(now.getTime() + 2 * hourMs + 1);
  const rejected = {
    ...(tooNew < events.length && { tooNewLogEventStartIndex: tooNew }),
    ...(tooOld > 0 && { tooOldLogEventEndIndex: tooOld }),
    ...(expired > 0 && { expiredLogEventEndIndex: expired }),
  };
  return {
    accepted: events.slice(Math.max(expired, tooOld), tooNew),
    rejected: Object.keys(rejected).length > 0 ? rejected : undefined,
  };
}
