// Ends the tasks that an endpoint no longer lists: after a moment for requests under way, SIGTERM, 30 s, SIGKILL.
import { seconds } from "../../../lib/clock.ts";
import type { SagemakerPlatform } from "../context.ts";
import type { TaskRow } from "../tasks/task-owner.ts";
import { deleteTasks, observedOf, requestStop, tasksOf } from "../tasks/task-rows.ts";
import type { EndpointSpec, EndpointStatus } from "./endpoint.resource.ts";
import { variantOf } from "./fleet.ts";

const graceSeconds = 30;
/** Routers that still hold the old routes have picked an instance by then. */
const drainMs = seconds(1);
const killAfterMs = seconds(graceSeconds + 10);

type Platform = Pick<SagemakerPlatform, "store" | "compute" | "clock">;
type Retiring = EndpointStatus["retiring"];

async function isOver({ compute }: Platform, task: TaskRow): Promise<boolean> {
  if (observedOf(task).end) return true;
  const state = await compute.inspect(task.key);
  return !state || state.state === "ended";
}

async function forget({ store, compute, clock }: Platform, task: TaskRow): Promise<void> {
  await compute.remove(task.key);
  await store.write((tx) => deleteTasks(tx, [task], clock.now()));
}

async function stop({ store, compute }: Platform, task: TaskRow): Promise<void> {
  if (task.stop_requested === 0) await store.write((tx) => requestStop(tx, [task.key]));
  await compute.stop(task.key, graceSeconds);
}

/** One step further for every task that is not listed; says which are still there. */
export async function retireTasks(
  platform: Platform,
  uid: string,
  spec: EndpointSpec,
  status: EndpointStatus,
): Promise<Retiring> {
  const now = platform.clock.now();
  const listed = new Set(status.instances.map((instance) => instance.key));
  const rows = (await tasksOf(platform.store.read, uid)).filter((row) => !listed.has(row.key));
  const remaining: Record<string, Retiring[string]> = {};
  for (const row of rows) {
    const entry = status.retiring[row.key] ?? { since: now, variant: variantOf(row.key, spec, status) ?? "unknown" };
    const agedMs = now.getTime() - entry.since.getTime();
    const mayServe = status.EndpointStatus !== "Deleting" && observedOf(row).serving?.ready === true;
    if ((await isOver(platform, row)) || agedMs >= killAfterMs) {
      await forget(platform, row);
      continue;
    }
    if (!mayServe || agedMs >= drainMs) await stop(platform, row);
    remaining[row.key] = entry;
  }
  return remaining;
}
