// Sends one invocation to an instance: variant by weight, instance with the fewest requests under way, another one when
// an instance takes no connection.
import type { Scope } from "../../database/resources.ts";
import { seconds, type Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { EndpointLookup, FoundEndpoint } from "./endpoint-lookup.ts";
import type { InstanceRoute, VariantRoute } from "./endpoint-routes.ts";
import { endpointNotFound, modelError, noInstance, timeoutText, variantNotFound } from "./errors.ts";
import { UnsentError, type InstanceAnswer, type InstanceConnections } from "./instance-connections.ts";

/** A container must have answered by then. */
const answerMs = seconds(60);
/** An instance that was lost is replaced by then, most likely. */
const holdMs = seconds(10);
const holdStepMs = 100;

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
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The client's. */
  readonly signal: AbortSignal;
}

export interface RoutedAnswer extends InstanceAnswer {
  readonly endpoint: FoundEndpoint;
  readonly variant: string;
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

  #choose(found: FoundEndpoint, { targetVariant }: RoutedRequest, refused: ReadonlySet<string>): Choice | undefined {
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
      const answer = await connections.invoke({ ...request, address: instance.address, signal });
      const done = (): void => {
        answered.abort();
        answer.done();
      };
      return { ...answer, endpoint: found, variant: variant.name, sentAt, signal, done } satisfies RoutedAnswer;
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
