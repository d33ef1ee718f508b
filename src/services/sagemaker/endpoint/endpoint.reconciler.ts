// Keeps an endpoint at what was asked last: brings new instances up, moves the traffic, replaces the lost, clears away.
import { CapacityError, ImageError } from "../../../compute/backend.ts";
import { releaseCapacity } from "../../../engine/capacity.ts";
import {
  anyReconciler,
  lookAgain,
  next,
  remove,
  settle,
  type AnyReconciler,
  type Observed,
  type Outcome,
  type Step,
} from "../../../engine/reconciler.ts";
import { minutes, seconds } from "../../../lib/clock.ts";
import { rowKind } from "../../resource-definition.ts";
import type { SagemakerPlatform, StoredObject } from "../context.ts";
import { modelDataDenied } from "../model/errors.ts";
import { findModelData } from "../model/find-model-data.ts";
import { letGo } from "../tasks/kept-blobs.ts";
import { ensureTasks } from "../tasks/task-rows.ts";
import { totalInstances, type Deployment } from "./deployment.ts";
import { taskSpec } from "./endpoint-tasks.ts";
import {
  endpoint as endpointKind,
  type Artifact,
  type EndpointIntent,
  type EndpointSpec,
  type EndpointStatus,
} from "./endpoint.resource.ts";
import { insufficientCapacity, modelDataMissing, pingFailed } from "./errors.ts";
import { isServingWhole, missing, routesOf, wantedBy, type Launch } from "./fleet.ts";
import { retireTasks } from "./retire-tasks.ts";
import { watchInstances, type EndedInstance } from "./watch-instances.ts";

type Endpoint = Observed<EndpointSpec, EndpointIntent, EndpointStatus>;
type EndpointStep = Step<EndpointSpec, EndpointIntent, EndpointStatus>;
type Change = Partial<EndpointStatus>;

export type HostingPlatform = Pick<
  SagemakerPlatform,
  | "store"
  | "compute"
  | "clock"
  | "random"
  | "log"
  | "capacity"
  | "objects"
  | "roles"
  | "server"
  | "images"
  | "isFrameworkStrict"
>;

const watchEveryMs = seconds(5);
const changeEveryMs = seconds(1);
const retireEveryMs = seconds(0.5);
/** Losses (not crashes) of new instances that a change puts up with. */
const maxLosses = 3;

const isChanging = ({ EndpointStatus: state }: EndpointStatus): boolean => state === "Creating" || state === "Updating";

/** Takes up what requests want since the last pass. */
function admit({ clock }: HostingPlatform): EndpointStep {
  return async ({ spec, intent, status }) => {
    if (intent.deleteRequestedAt)
      return next<EndpointStatus>({ EndpointStatus: "Deleting", instances: [], routes: undefined });
    const isNew = status.EndpointStatus === "InService" && status.handledChange < spec.change;
    return next(isNew ? { EndpointStatus: "Updating", losses: 0, launchAfter: clock.now() } : {});
  };
}

/** A change that cannot be made: a new endpoint is Failed, an old one stays as it was and says why. */
function giveUp({ spec, status }: Endpoint, reason: string): Change {
  const FailureReason = reason.slice(0, 1024);
  const handledChange = spec.change;
  if (!status.current) return { EndpointStatus: "Failed", FailureReason, handledChange, instances: [] };
  const instances = wantedBy(status.current.deployment, status.instances);
  return { EndpointStatus: "InService", FailureReason, handledChange, instances };
}

/** The first is replaced at once; what is lost again and again waits longer and longer. */
const backOffMs = (losses: number): number =>
  losses <= 1 ? 0 : Math.min(500 * 2 ** Math.min(losses - 2, 10), minutes(1));

/** Why the change under way cannot be made: a new instance failed by itself, or too many were lost. */
function hopeless({ spec, status }: Endpoint, ended: readonly EndedInstance[], losses: number): string | undefined {
  const ofChange = ended.filter(({ instance }) => instance.generation === spec.deployment.generation);
  const [first] = ofChange;
  if (!isChanging(status) || !first) return undefined;
  const failed = ofChange.find(({ failure }) => failure !== undefined);
  return failed?.failure ?? (losses > maxLosses ? pingFailed(first.instance.variant) : undefined);
}

/** Drops the instances that ended; while a change is made, one that failed by itself ends the change. */
function watch(platform: HostingPlatform): EndpointStep {
  const { clock, log } = platform;
  return async (endpoint) => {
    const { status, spec, uid, name } = endpoint;
    if (status.instances.length === 0) return next();
    const { alive, ended } = await watchInstances(platform, uid, status, spec.deployment);
    if (ended.length === 0) return next({ instances: alive });
    for (const { instance, failure } of ended)
      log.warn("an instance of an endpoint ended", { endpoint: name, key: instance.key, failure });
    const losses = status.losses + ended.length;
    const launchAfter = new Date(clock.now().getTime() + backOffMs(losses));
    const change = { instances: alive, losses, launchAfter };
    const reason = hopeless(endpoint, ended, losses);
    if (reason === undefined) return next(change);
    return next({ ...change, ...giveUp({ ...endpoint, status: { ...status, ...change } }, reason) });
  };
}

/** Fixes, once for all its instances, which bytes a deployment serves. Saved before anything starts: agents ask for it at once. */
function fixArtifacts({ objects, roles }: HostingPlatform): EndpointStep {
  return async (endpoint) => {
    const { status, spec, account, region, uid } = endpoint;
    const { generation, variants } = spec.deployment;
    if (!isChanging(status) || status.artifacts[generation]) return next();
    const artifacts: Record<string, Artifact> = {};
    const found: StoredObject[] = [];
    for (const { name, modelData, roleArn } of variants) {
      if (modelData === undefined) continue;
      const place = { account, region, roleArn, uri: modelData };
      const object = await findModelData({ objects, roles }, place);
      if (object === "denied") return next(giveUp(endpoint, modelDataDenied(modelData, roleArn ?? "", region)));
      if (!object) return next(giveUp(endpoint, modelDataMissing(modelData)));
      found.push(object);
      artifacts[name] = { blobId: object.blobId, sizeBytes: object.sizeBytes };
    }
    // Throws when one was replaced in between: the next pass finds the new one.
    await objects.pin(uid, found);
    return lookAgain(0, { artifacts: { ...status.artifacts, [generation]: artifacts } });
  };
}

async function launch(
  platform: HostingPlatform,
  { uid, account, region, name }: Endpoint,
  launches: readonly Launch[],
): Promise<void> {
  const { store, random, compute, clock } = platform;
  const keys = launches.map(({ key }) => key);
  const instanceTypes = Object.fromEntries(launches.map(({ key, variant }) => [key, variant.instanceType]));
  const place = { ownerUid: uid, account, region, instanceTypes };
  const rows = await ensureTasks({ store, random }, place, keys, clock.now());
  await Promise.all(
    launches.map(async ({ key, variant }) => {
      const row = rows.find((task) => task.key === key);
      if (row) await compute.start(await taskSpec(row, variant, name, platform));
    }),
  );
}

/** The deployment that the endpoint should have instances of now. */
const targetOf = ({ spec, status }: Endpoint): Deployment | undefined => {
  if (isChanging(status)) return spec.deployment;
  return status.EndpointStatus === "InService" ? status.current?.deployment : undefined;
};

/** Starts the instances that are missing. Safe to repeat: a pass that was not saved is found again by its keys. */
function grow(platform: HostingPlatform): EndpointStep {
  const { capacity, clock } = platform;
  return async (endpoint) => {
    const { status, uid } = endpoint;
    const target = targetOf(endpoint);
    if (!target) return next();
    const launches = missing(uid, target, status);
    const now = clock.now();
    const mustWait = status.losses > 0 && status.launchAfter !== undefined && now < status.launchAfter;
    if (launches.length === 0 || mustWait) return next();
    const giveUpOrWait = (reason: string): Outcome<EndpointStatus> =>
      isChanging(status) ? next(giveUp(endpoint, reason)) : next({ launchAfter: new Date(now.getTime() + seconds(5)) });
    const wanted = status.instances.length + launches.length;
    const isGranted = wanted <= status.reserved || (await capacity.resize("hosting", uid, wanted));
    if (!isGranted) return giveUpOrWait(insufficientCapacity(wanted, capacity.limits.hosting));
    try {
      await launch(platform, endpoint, launches);
    } catch (error) {
      if (error instanceof CapacityError) return lookAgain(changeEveryMs, { reserved: wanted });
      if (error instanceof ImageError) return giveUpOrWait(error.message);
      throw error;
    }
    const { generation } = target;
    const launched = launches.map(({ key, variant }) => ({ key, generation, variant: variant.name, launchedAt: now }));
    return next({
      instances: [...status.instances, ...launched],
      nextNumber: status.nextNumber + launches.length,
      reserved: Math.max(status.reserved, wanted),
    });
  };
}

/** Moves the traffic once every new instance serves; what is not needed any more leaves the list. */
function switchOver({ clock, log }: HostingPlatform): EndpointStep {
  return async ({ name, spec, status }) => {
    const { deployment } = spec;
    if (!isChanging(status)) {
      const isWhole = status.current && isServingWhole(status.current.deployment, status.instances);
      return next(isWhole && status.losses > 0 && isCalm(status, clock.now()) ? { losses: 0 } : {});
    }
    if (!isServingWhole(deployment, status.instances)) return next();
    log.info("an endpoint serves", { endpoint: name, generation: deployment.generation });
    const artifacts = { [deployment.generation]: status.artifacts[deployment.generation] ?? {} };
    return next<EndpointStatus>({
      EndpointStatus: "InService",
      FailureReason: undefined,
      handledChange: spec.change,
      current: { deployment, since: clock.now() },
      instances: wantedBy(deployment, status.instances),
      losses: 0,
      artifacts,
    });
  };
}

/** A minute without a loss: the next one is the first again. */
const isCalm = ({ launchAfter }: EndpointStatus, now: Date): boolean =>
  launchAfter === undefined || now.getTime() - launchAfter.getTime() > minutes(1);

const publish: EndpointStep = async ({ status }) =>
  next<EndpointStatus>({ routes: status.EndpointStatus === "Deleting" ? undefined : routesOf(status) });

const retire =
  (platform: HostingPlatform): EndpointStep =>
  async ({ uid, spec, status }) =>
    next({ retiring: await retireTasks(platform, uid, spec, status) });

const isCleared = ({ EndpointStatus: state, instances, retiring }: EndpointStatus): boolean =>
  (state === "Deleting" || state === "Failed") && instances.length === 0 && Object.keys(retiring).length === 0;

/** Gives back capacity that is not used any more, and says when to look again. */
function rest({ capacity }: HostingPlatform): EndpointStep {
  return async ({ uid, status }) => {
    if (isCleared(status)) return status.EndpointStatus === "Deleting" ? remove() : settle({ reserved: 0 });
    if (Object.keys(status.retiring).length > 0) return lookAgain(retireEveryMs);
    const held = status.current && totalInstances(status.current.deployment);
    if (status.EndpointStatus === "InService" && held !== undefined && status.reserved > held) {
      await capacity.resize("hosting", uid, held);
      return lookAgain(changeEveryMs, { reserved: held });
    }
    const isWaiting = isChanging(status) || status.losses > 0;
    return lookAgain(isWaiting ? changeEveryMs : watchEveryMs);
  };
}

export function endpointReconciler(platform: HostingPlatform): AnyReconciler {
  return anyReconciler<EndpointSpec, EndpointIntent, EndpointStatus>({
    kind: rowKind(endpointKind),
    steps: [
      admit(platform),
      watch(platform),
      fixArtifacts(platform),
      grow(platform),
      switchOver(platform),
      publish,
      retire(platform),
      rest(platform),
    ],
    stateOf: (status) => status.EndpointStatus,
    alsoSave: async (tx, { uid, status }) => {
      if (!isCleared(status)) return;
      await releaseCapacity(tx, uid);
      await letGo(tx, uid);
    },
  });
}
