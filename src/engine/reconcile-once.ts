// One pass over one leased row: run the steps, say what to save.
import type { ResourceRow } from "../database/resources.ts";
import { unpack } from "../lib/stored-json.ts";
import type { AnyReconciler, Observed } from "./reconciler.ts";

export interface Pass {
  readonly status: object;
  /** ms until the next look; null: settled. */
  readonly afterMs: number | null;
  readonly isRemoved: boolean;
  readonly observed: Observed<unknown, unknown, object>;
}

export const observe = (row: ResourceRow): Observed<unknown, unknown, object> => ({
  uid: row.uid,
  account: row.account,
  region: row.region,
  name: row.name,
  spec: unpack(row.spec),
  intent: unpack(row.intent),
  status: unpack(row.status) as object,
  createdAt: new Date(row.created_at),
});

/** Runs the steps until one decides. A reconciler whose last step says "next" has nothing more to do. */
export async function reconcileOnce(reconciler: AnyReconciler, row: ResourceRow, signal: AbortSignal): Promise<Pass> {
  let observed = observe(row);
  for (const step of reconciler.steps) {
    const outcome = await step(observed, signal);
    if (outcome.move === "remove") return { status: observed.status, afterMs: null, isRemoved: true, observed };
    observed = { ...observed, status: { ...observed.status, ...outcome.status } };
    if (outcome.move === "look-again")
      return { status: observed.status, afterMs: outcome.afterMs, isRemoved: false, observed };
    if (outcome.move === "settle") break;
  }
  return { status: observed.status, afterMs: null, isRemoved: false, observed };
}
