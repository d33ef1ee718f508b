// What a service is: a model name, a list of operations, and what its handlers are given.
import type { Readable } from "node:stream";
import type { Clock } from "../lib/clock.ts";
import type { AwsError } from "../lib/aws-error.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import type { Store } from "../database/store.ts";
import type { ServiceName } from "../models/index.ts";
import type { Resources } from "./resources.ts";

export interface SessionTag {
  readonly Key: string;
  readonly Value: string;
  readonly isTransitive: boolean;
}

/** Who signed the request. */
export interface Caller {
  /** Account id of the access key. */
  readonly account: string;
  /** e.g. arn:aws:iam::000000000000:root, …:user/ann, arn:aws:sts::…:assumed-role/ROLE/SESSION */
  readonly arn: string;
  /** aws:userid, e.g. the account id for root, AROA…:session for a role. */
  readonly userId: string;
  readonly accessKeyId: string;
  /** Documents that border this session, besides the policies of its role or user. */
  readonly sessionPolicies?: readonly string[];
  /** Tags of this session; the transitive ones go on into sessions made with it. */
  readonly sessionTags?: readonly SessionTag[];
  /** Of a federated session, the user or root whose policies bear on it. */
  readonly sourceArn?: string;
}

/**
 * One request, already authenticated, parsed and authorised. `account` is whose data it works on, the caller's own but for buckets
 * that others opened to it; with `region` beside it, no query can forget them.
 */
export interface RequestContext {
  readonly requestId: string;
  readonly account: string;
  /** Of a copy between two accounts' buckets, whose the source is. */
  readonly sourceAccount?: string;
  /** Of DeleteObjects, by place: why the caller may not delete that object. */
  readonly refusals?: readonly (AwsError | undefined)[];
  readonly region: string;
  readonly caller: Caller;
  readonly service: ServiceName;
  readonly operation: string;
  readonly http: {
    readonly method: string;
    readonly host: string;
    readonly isSecure: boolean;
    readonly rawPath: string;
    readonly rawQuery: string;
    readonly headers: Readonly<Record<string, string>>;
    /** Of an aws-chunked body, by lower-cased name; there once the body has been read to its end. */
    readonly trailers?: Promise<Readonly<Record<string, string>>>;
  };
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly store: Store;
  /** Of this account and region. */
  readonly resources: Resources;
}

export interface Operation<C extends RequestContext = RequestContext> {
  readonly name: string;
  handle(input: unknown, ctx: C): Promise<unknown>;
}

/** `const operation = operationsOf<SagemakerOperations, SagemakerContext>()`, then `operation("CreateModel", async (input, ctx) => …)`. */
export function operationsOf<Ops, C extends RequestContext = RequestContext>() {
  return <Name extends keyof Ops & string>(
    name: Name,
    handler: (
      input: Ops[Name] extends { input: infer I } ? I : never,
      ctx: C,
    ) => Promise<Ops[Name] extends { output: infer O } ? O : never>,
  ): Operation<C> => ({
    name,
    // Parsed and validated by the model before it gets here: the one place where the wire's type is believed.
    handle: (input, ctx) => handler(input as never, ctx),
  });
}

export interface Service {
  readonly name: ServiceName;
  /** Names of the operations that have a handler; the rest of the model answers NotImplementedException. */
  readonly operations: ReadonlySet<string>;
  handle(operation: string, input: unknown, ctx: RequestContext): Promise<unknown>;
}

/** Binds operations to the service's own context: the request's, and the parts that the service needs besides. */
export function defineService<C extends RequestContext>(
  name: ServiceName,
  operations: readonly Operation<C>[],
  parts: Omit<C, keyof RequestContext>,
): Service {
  const byName = new Map(operations.map((operation) => [operation.name, operation]));
  return {
    name,
    operations: new Set(byName.keys()),
    handle: (operation, input, ctx) => {
      const found = byName.get(operation);
      if (!found) throw new Error(`${name} has no handler for ${operation}`);
      // The context is this request's alone, so the parts go into it: a copy would run its getters, which few handlers ask for.
      return found.handle(input, Object.assign(ctx, parts) as unknown as C);
    },
  };
}

/** HTTP beside the AWS APIs: agents' reports, health, metrics. The first route that matches answers. */
export interface HttpRoute {
  /** Path prefix, e.g. "/_salvia/tasks/". */
  readonly prefix: string;
  /** The request must be signed, scoped to the service, by somebody whose policies allow the action; then `caller` says by whom. Without a body. */
  readonly signedFor?: { readonly service: string; readonly action: string };
  handle(request: RouteRequest): Promise<RouteResponse>;
}

export interface RouteRequest {
  readonly method: string;
  /** Percent-encoded path without query. */
  readonly rawPath: string;
  readonly rawQuery: string;
  /** Lower-cased names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
  readonly remoteAddress: string;
  readonly signal: AbortSignal;
  /** Of routes that are signed. */
  readonly caller?: Caller;
}

export interface RouteResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | Readable;
}
