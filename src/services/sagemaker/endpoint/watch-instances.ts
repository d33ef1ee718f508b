// Looks at the running instances of an endpoint: which serve, which have ended and why.
import { seconds } from "../../../lib/clock.ts";
import type { SagemakerPlatform } from "../context.ts";
import type { ObservedTask } from "../tasks/observed-task.ts";
import { observedOf, tasksOf } from "../tasks/task-rows.ts";
import type { Deployment } from "./deployment.ts";
import type { EndpointStatus, Instance } from "./endpoint.resource.ts";
import { pingFailed } from "./errors.ts";

/** An instance that served and no longer answers is given up after this. */
const unreadyMs = seconds(60);

export interface EndedInstance {
  readonly instance: Instance;
  /** Set when its program is to blame, and not whoever killed it or its machine: another one would end the same way. */
  readonly failure?: string;
}

export interface Watched {
  readonly alive: readonly Instance[];
  readonly ended: readonly EndedInstance[];
}

type Platform = Pick<SagemakerPlatform, "store" | "compute" | "clock">;

/** A model that cannot be unpacked, a crash: told to the caller. A kill, a lost machine: only replaced. */
function failureOf(instance: Instance, observed: ObservedTask): string | undefined {
  const { end } = observed;
  if (!end || instance.servingSince) return undefined;
  if (end.how === "setup-failed") return end.failure ?? pingFailed(instance.variant);
  const isOwnFault = end.how === "timed-out" || (end.how === "exited" && end.signal === undefined);
  return isOwnFault ? pingFailed(instance.variant) : undefined;
}

/** When an instance that never served is given up. */
function deadline(instance: Instance, observed: ObservedTask, deployments: readonly Deployment[]): number {
  const variant = deployments
    .find((deployment) => deployment.generation === instance.generation)
    ?.variants.find((one) => one.name === instance.variant);
  const startupMs = seconds(variant?.startupSeconds ?? 240);
  const releasedAt = observed.phaseStarts.running;
  if (releasedAt !== undefined) return releasedAt + startupMs;
  const downloadMs = observed.phase === "downloading" ? seconds(variant?.downloadSeconds ?? 3_600) : 0;
  return instance.launchedAt.getTime() + downloadMs + startupMs;
}

function see(instance: Instance, observed: ObservedTask, at: Date): Instance {
  const { address: _, ...rest } = instance;
  const { serving } = observed;
  if (!serving?.ready) return rest;
  return { ...rest, servingSince: instance.servingSince ?? at, address: serving.address };
}

const isUnanswering = (instance: Instance, observed: ObservedTask, now: number): boolean =>
  instance.servingSince !== undefined && observed.serving?.ready === false && now - observed.serving.at > unreadyMs;

/** An instance whose task is still there: as it is now, or why it is given up. */
function judge(
  instance: Instance,
  observed: ObservedTask,
  now: Date,
  deployments: readonly Deployment[],
): Instance | EndedInstance {
  const seen = see(instance, observed, now);
  if (!seen.servingSince && now.getTime() >= deadline(instance, observed, deployments))
    return { instance, failure: pingFailed(instance.variant) };
  return isUnanswering(seen, observed, now.getTime()) ? { instance } : seen;
}

export async function watchInstances(
  { store, compute, clock }: Platform,
  uid: string,
  { instances, current }: EndpointStatus,
  wanted: Deployment,
): Promise<Watched> {
  const rows = new Map((await tasksOf(store.read, uid)).map((row) => [row.key, row]));
  const deployments = [wanted, ...(current ? [current.deployment] : [])];
  const alive: Instance[] = [];
  const ended: EndedInstance[] = [];
  const look = async (instance: Instance): Promise<Instance | EndedInstance> => {
    const row = rows.get(instance.key);
    if (!row) return { instance };
    const observed = observedOf(row);
    const state = observed.end ? undefined : await compute.inspect(instance.key);
    if (state && state.state !== "ended") return judge(instance, observed, clock.now(), deployments);
    const failure = failureOf(instance, observed);
    return { instance, ...(failure === undefined ? {} : { failure }) };
  };
  for (const instance of instances) {
    const found = await look(instance);
    if ("instance" in found) ended.push(found);
    else alive.push(found);
  }
  return { alive, ended };
}
