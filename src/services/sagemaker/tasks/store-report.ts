// Stores one report: cursor, observed state, lines and metrics in one transaction, so that nothing is there twice or half.
import type { Clock } from "../../../lib/clock.ts";
import { wakeResource, type ResourceRow } from "../../../database/resources.ts";
import type { Store } from "../../../database/store.ts";
import type { ReportAnswer, ReportRequest, TaskEvent } from "../../../task/report.ts";
import type { SagemakerPlatform } from "../context.ts";
import { isNews, observe } from "./observed-task.ts";
import type { OutputLine, TaskOwner, TaskRow } from "./task-owner.ts";
import { findTask, observedOf, saveObserved } from "./task-rows.ts";

export interface ReportStoreOptions extends Pick<SagemakerPlatform, "store" | "logs" | "nudge"> {
  readonly clock: Clock;
}

const linesOf = (events: readonly TaskEvent[]): OutputLine[] =>
  events.flatMap((event) => (event.type === "output" ? event.lines : []));

const answerOf = (task: TaskRow): ReportAnswer => ({ acknowledged: task.sequence, stop: task.stop_requested !== 0 });

/** Once a second from every agent: reads only. */
async function heartbeat(store: Store, key: string): Promise<ReportAnswer | undefined> {
  const task = await findTask(store.read, key);
  return task && answerOf(task);
}

/** Undefined when the task is no longer known. Answers once the report is durable. */
export async function storeReport(
  { store, logs, clock, nudge }: ReportStoreOptions,
  kind: TaskOwner,
  key: string,
  owner: ResourceRow,
  request: ReportRequest,
): Promise<ReportAnswer | undefined> {
  const { sequence, events } = request;
  if (events.length === 0) return heartbeat(store, key);
  const lines = linesOf(events);
  // User-given patterns may run in a worker: outside the transaction.
  const metrics = (lines.length > 0 && (await kind.metricsIn?.(owner, lines))) || [];
  const isAwaited = events.some(isNews);
  const answer = await store.write(async (tx) => {
    const task = await findTask(tx, key);
    // Seen before, or ahead of one that is still missing: the agent sends from `acknowledged` on.
    if (!task || sequence !== task.sequence + 1) return task && answerOf(task);
    const observed = observe(observedOf(task), events, metrics);
    await saveObserved(tx, key, observed, sequence);
    if (lines.length > 0) {
      const { group, stream } = kind.logStream(task, owner);
      const messages = lines.map(({ at, text }) => ({ timestamp: at, message: text }));
      await logs.append(tx, { account: task.account, region: task.region }, group, stream, messages);
    }
    await kind.store?.(tx, { task, owner, events, metrics });
    if (isAwaited) await wakeResource(tx, task.owner_uid, clock.now().getTime());
    return answerOf({ ...task, sequence });
  });
  if (isAwaited) nudge();
  return answer;
}
