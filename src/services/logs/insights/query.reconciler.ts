// Runs queries, each in one pass once it is marked as running; a server that is killed leaves its queries to the next, which runs them from the start.
import type { Store } from "../../../database/store.ts";
import {
  anyReconciler,
  lookAgain,
  settle,
  type AnyReconciler,
  type Observed,
  type Outcome,
} from "../../../engine/reconciler.ts";
import { minutes, type Clock } from "../../../lib/clock.ts";
import { unpack } from "../../../lib/stored-json.ts";
import { findGroup, type LogGroupRow } from "../groups.ts";
import { noProgress, type QueryIntent, type QuerySpec, type QueryState } from "./query.resource.ts";
import { runQuery } from "./run-query.ts";

type ObservedQuery = Observed<QuerySpec, QueryIntent, QueryState>;

const longestMs = minutes(60);
/** How often a run looks whether it is still wanted. */
const lookEveryMs = 250;

export function queryReconciler(store: Store, clock: Clock): AnyReconciler {
  return anyReconciler<QuerySpec, QueryIntent, QueryState>({
    kind: "logs/query",
    steps: [(observed, signal) => run(observed, { store, clock, signal })],
    stateOf: ({ state }) => state,
  });
}

interface Surroundings {
  readonly store: Store;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function run(observed: ObservedQuery, around: Surroundings): Promise<Outcome<QueryState>> {
  const { spec, status } = observed;
  if (status.state !== "Scheduled" && status.state !== "Running") return settle();
  if (observed.intent.isStopped === true) return settle({ state: "Cancelled" });
  // Saved before it starts, so that whoever asks sees it run.
  if (status.state === "Scheduled") return lookAgain(0, { state: "Running" });
  const progress = { ...noProgress };
  const groups: LogGroupRow[] = [];
  for (const name of spec.groups) {
    const group = await findGroup(around.store.read, observed, name);
    // Deleted meanwhile: it has no lines.
    if (group) groups.push(group);
  }
  const ending = watch(observed, around);
  const rows = await runQuery(around.store.read, {
    groups,
    window: { from: spec.from, before: spec.before },
    query: spec.query,
    limit: spec.limit,
    now: around.clock.now(),
    progress,
    isStopped: async () => (await ending.look()) !== undefined,
  });
  around.signal.throwIfAborted();
  return settle({ state: ending.reason ?? "Complete", progress, rows });
}

/** Whether the query is to end early: stopped by its caller, past its time, or with its server. */
function watch({ uid, createdAt }: ObservedQuery, { store, clock, signal }: Surroundings) {
  let lookedAt = clock.now().getTime();
  const watched = {
    reason: undefined as "Cancelled" | "Timeout" | undefined,
    look: async (): Promise<"Cancelled" | "Timeout" | undefined> => {
      signal.throwIfAborted();
      const now = clock.now().getTime();
      if (now - createdAt.getTime() > longestMs) watched.reason = "Timeout";
      if (now - lookedAt < lookEveryMs || watched.reason) return watched.reason;
      lookedAt = now;
      const row = await store.read.selectFrom("resources").select("intent").where("uid", "=", uid).executeTakeFirst();
      if (!row || (unpack(row.intent) as QueryIntent).isStopped === true) watched.reason = "Cancelled";
      return watched.reason;
    },
  };
  return watched;
}
