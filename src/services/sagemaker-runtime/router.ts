// Sends one invocation to an instance: variant by weight, instance with the fewest requests under way, another one when
// an instance takes no connection.
import { createHash } from "node:crypto";
import type { Scope } from "../../database/resources.ts";
import { seconds, type Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import { targetModelHeader } from "../../task/target-model.ts";
import type { EndpointLookup, FoundEndpoint } from "./endpoint-lookup.ts";
import type { InstanceRoute, VariantRoute } from "./endpoint-routes.ts";
import {
  endpointNotFound,
  modelError,
  noInstance,
  targetModelMissing,
  targetModelNotSupported,
  targetModelWrong,
  timeoutText,
  variantNotFound,
} from "./errors.ts";
import { UnsentError, type InstanceAnswer, type InstanceConnections } from "./instance-connections.ts";

/** A container must have answered by then. */
const answerMs = seconds(60);
/** An instance that was lost is replaced by then, most likely. */
const holdMs = seconds(10);
const holdStepMs = 100;

/** Beyond so many requests under way a model is loaded on another instance, too. */
const busyRequests = 4;

/** The instance that a model is loaded on first: always the same of those that are there. */
function homeOf(targetModel: string, instances: readonly InstanceRoute[]): InstanceRoute | undefined {
  const rank = ({ id }: InstanceRoute): string => createHash("sha256").update(`${id} ${targetModel}`).digest("hex");
  const ranked = instances.map((instance) => ({ instance, rank: rank(instance) }));
  return ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1))[0]?.instance;
}

function checkTargetModel({ isMultiModel }: VariantRoute, { endpoint, targetModel, requestId }: RoutedRequest): void {
  if (isMultiModel && targetModel === undefined) throw targetModelMissing(requestId);
  if (targetModel === undefined) return;
  if (!isMultiModel) throw targetModelNotSupported(endpoint);
  const isPath = targetModel.split("/").every((part) => part !== "" && part !== "." && part !== "..");
  if (!isPath || targetModel.includes("\0")) throw targetModelWrong(targetModel);
}

const withTargetModel = ({ headers, targetModel }: RoutedRequest): Readonly<Record<string, string>> =>
  targetModel === undefined ? headers : { ...headers, [targetModelHeader]: encodeURIComponent(targetModel) };

export interface RouterParts {
  readonly lookup: EndpointLookup;
  readonly connections: InstanceConnections;
  readonly clock: Clock;
  readonly random: Random;
}

export interface RoutedRequest {
  readonly scope: Scope;
  readonly endpoint: string;
  readonly targetVariant?: string | undefined;
  /** Of a multi-model endpoint, and of no other. */
  readonly targetModel?: string | undefined;
  readonly requestId: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The client's. */
  readonly signal: AbortSignal;
}

export interface RoutedAnswer extends InstanceAnswer {
  readonly endpoint: FoundEndpoint;
  readonly variant: string;
  readonly isMultiModel: boolean;
  /** Milliseconds of the monotonic clock at which the request went to the container. */
  readonly sentAt: number;
  /** Aborts when the client goes away or the time is up. */
  readonly signal: AbortSignal;
  done(): void;
}

interface Choice {
  readonly variant: VariantRoute;
  readonly instance: InstanceRoute;
}

/** By weight among the variants that have an instance left; where all weights are zero, all are equal. */
export function chooseVariant(variants: readonly VariantRoute[], fraction: number): VariantRoute | undefined {
  const sum = variants.reduce((total, variant) => total + variant.weight, 0);
  if (sum === 0) return variants[Math.floor(fraction * variants.length)];
  let left = fraction * sum;
  for (const variant of variants) {
    left -= variant.weight;
    if (left < 0) return variant;
  }
  return variants.findLast((variant) => variant.weight > 0);
}

export class Router {
  readonly #parts: RouterParts;

  constructor(parts: RouterParts) {
    this.#parts = parts;
  }

  /** Throws what the caller should hear. The caller ends the answer with `done`. */
  async send(request: RoutedRequest): Promise<RoutedAnswer> {
    const { clock } = this.#parts;
    const deadline = clock.monotonicMs() + holdMs;
    const refused = new Set<string>();
    for (;;) {
      const found = await this.#find(request);
      const choice = this.#choose(found, request, refused);
      if (choice) {
        checkTargetModel(choice.variant, request);
        const answer = await this.#try(found, choice, request);
        if (answer) return answer;
        refused.add(choice.instance.id);
        continue;
      }
      if (clock.monotonicMs() >= deadline) throw noInstance(request.endpoint);
      await clock.sleep(holdStepMs, request.signal);
      refused.clear();
    }
  }

  async #find({ scope, endpoint, targetVariant }: RoutedRequest): Promise<FoundEndpoint> {
    const found = await this.#parts.lookup(scope, endpoint);
    if (!found) throw endpointNotFound(endpoint, scope.account);
    const isThere = targetVariant === undefined || found.routes.variants.some(({ name }) => name === targetVariant);
    if (!isThere) throw variantNotFound(targetVariant, endpoint, scope.account);
    return found;
  }

  #choose(
    found: FoundEndpoint,
    { targetVariant, targetModel }: RoutedRequest,
    refused: ReadonlySet<string>,
  ): Choice | undefined {
    const { random, connections } = this.#parts;
    const variants = found.routes.variants.flatMap((variant) => {
      if (targetVariant !== undefined && variant.name !== targetVariant) return [];
      const instances = refused.size === 0 ? variant.instances : variant.instances.filter(({ id }) => !refused.has(id));
      return instances.length === 0 ? [] : [{ ...variant, instances }];
    });
    const variant = chooseVariant(variants, random.fraction());
    if (!variant) return undefined;
    const load = ({ address }: InstanceRoute): number => connections.underWay(address);
    const least = Math.min(...variant.instances.map(load));
    const idlest = variant.instances.filter((instance) => load(instance) === least);
    const home = targetModel === undefined ? undefined : homeOf(targetModel, variant.instances);
    if (home && load(home) < busyRequests) return { variant, instance: home };
    const instance = idlest.length === 1 ? idlest[0] : idlest[Math.floor(random.fraction() * idlest.length)];
    return instance && { variant, instance };
  }

  /** Undefined when the instance took no connection. */
  async #try(found: FoundEndpoint, { variant, instance }: Choice, request: RoutedRequest) {
    const { clock, connections } = this.#parts;
    const answered = new AbortController();
    const limit = new AbortController();
    const late = (): void => limit.abort(modelError(found, 0, timeoutText));
    clock.sleep(answerMs, answered.signal).then(late, () => undefined);
    const signal = AbortSignal.any([request.signal, limit.signal]);
    const sentAt = clock.monotonicMs();
    try {
      const headers = withTargetModel(request);
      const answer = await connections.invoke({ ...request, headers, address: instance.address, signal });
      const done = (): void => {
        answered.abort();
        answer.done();
      };
      const from = { endpoint: found, variant: variant.name, isMultiModel: variant.isMultiModel === true };
      return { ...answer, ...from, sentAt, signal, done } satisfies RoutedAnswer;
    } catch (error) {
      answered.abort();
      if (error instanceof UnsentError) return undefined;
      throw brokenOff(found, signal, error);
    }
  }
}

/** What to tell the caller about an answer that did not come, or not to its end. */
export function brokenOff(endpoint: FoundEndpoint, signal: AbortSignal, cause: unknown): unknown {
  if (signal.aborted) return signal.reason;
  const why = cause instanceof Error ? cause.message : String(cause);
  return modelError(endpoint, 0, `The connection to container primary broke before it had answered: ${why}`);
}
