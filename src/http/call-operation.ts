// Stages: parse and check the input by the model, call the handler, write its output.
import { Readable } from "node:stream";
import { AwsError } from "../lib/aws-error.ts";
import type { OperationModel, Validator } from "../models/index.ts";
import type { WireRequest } from "../protocols/index.ts";
import type { Log } from "../lib/log.ts";
import { Resources } from "../services/resources.ts";
import type { Caller, RequestContext, Service } from "../services/service.ts";
import type { Exchange, PipelineOptions, Stage } from "./exchange.ts";
import type { HttpRequest } from "./http-request.ts";
import { maxBodyBytes } from "./find-operation.ts";
import { readWhole } from "./request-body.ts";
import { openS3Body } from "./s3-body.ts";
import { defaultRegion } from "./verify-caller.ts";

export type ServicesByName = ReadonlyMap<string, Service>;

const notImplemented = ({ service, name }: OperationModel): AwsError =>
  new AwsError("NotImplementedException", `The operation ${service.name}.${name} is not implemented by Salvia yet.`, {
    httpStatus: 501,
  });

export const refuseUnimplemented =
  (services: ServicesByName): Stage =>
  async ({ route }) => {
    const operation = route?.operation;
    if (!operation) throw new Error("the operation is found before it is refused");
    if (!services.get(operation.service.name)?.operations.has(operation.name)) throw notImplemented(operation);
    return undefined;
  };

/** The body as the protocol wants it: S3's is opened only now, after its caller is known. */
async function requestToParse(exchange: Exchange): Promise<WireRequest> {
  const { route, body, http, verified } = exchange;
  const isS3 = route?.operation.service.name === "s3";
  if (!route) throw new Error("the operation is found before its input is parsed");
  const wantsStream = route.operation.inputStream !== undefined;
  if (body !== undefined || (!verified && !isS3)) {
    return wantsStream ? { ...route.request, stream: Readable.from([body ?? new Uint8Array()]) } : route.request;
  }
  const opened = openS3Body(http, verified);
  if (opened.trailers) exchange.trailers = opened.trailers;
  if (wantsStream) return { ...route.request, stream: opened.body };
  if (!http.hasBody) return route.request;
  return { ...route.request, body: await readWhole(opened.body, maxBodyBytes) };
}

export const parseInput =
  (validator: Validator): Stage =>
  async (exchange) => {
    const request = await requestToParse(exchange);
    const { operation, protocol } = exchange.route ?? {};
    if (!operation || !protocol) throw new Error("the operation is found before its input is parsed");
    exchange.input = protocol.parse(operation, request);
    validator.validate(operation, exchange.input);
    return undefined;
  };

/** Its getters make what few handlers use only when it is asked for; on a class they cost nothing per request. */
class OperationContext implements RequestContext {
  readonly requestId: string;
  readonly account: string;
  readonly sourceAccount?: string;
  readonly refusals?: readonly (AwsError | undefined)[];
  readonly region: string;
  readonly caller: Caller;
  readonly service: RequestContext["service"];
  readonly operation: string;
  readonly http: RequestContext["http"];
  readonly clock: RequestContext["clock"];
  readonly random: RequestContext["random"];
  readonly store: RequestContext["store"];
  readonly #request: HttpRequest;
  readonly #options: PipelineOptions;

  constructor(
    { requestId, http, verified, authorised, trailers }: Exchange,
    caller: Caller,
    options: PipelineOptions,
    operation: OperationModel,
  ) {
    this.requestId = requestId;
    this.account = authorised?.account ?? caller.account;
    if (authorised?.sourceAccount !== undefined) this.sourceAccount = authorised.sourceAccount;
    if (authorised?.refusals) this.refusals = authorised.refusals;
    this.region = verified?.claim.region ?? defaultRegion;
    this.caller = caller;
    this.service = operation.service.name;
    this.operation = operation.name;
    const { method, host, isSecure, rawPath, rawQuery, headers } = http;
    const facts = { method, host, isSecure, rawPath, rawQuery, headers };
    this.http = trailers ? { ...facts, trailers } : facts;
    this.clock = options.clock;
    this.random = options.random;
    this.store = options.store;
    this.#request = http;
    this.#options = options;
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }

  get log(): Log {
    return this.#options.log.with({ requestId: this.requestId });
  }

  get resources(): Resources {
    const { store, clock, random, account, region } = this;
    return new Resources({ store, clock, random, scope: { account, region }, nudge: this.#options.nudge });
  }
}

/** Whether an object is there, is the affair of those who may list its bucket. */
async function hiding<T>({ authorised }: Exchange, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isMissing = error instanceof AwsError && error.code === "NoSuchKey";
    if (!isMissing || !authorised?.mayList || (await authorised.mayList())) throw error;
    throw new AwsError("AccessDenied", "Access Denied", { httpStatus: 403 });
  }
}

export const callOperation =
  (services: ServicesByName, options: PipelineOptions): Stage =>
  async (exchange) => {
    const { route, caller } = exchange;
    if (!route || !caller) throw new Error("caller and operation are known before the handler is called");
    const { operation, protocol } = route;
    const service = services.get(operation.service.name);
    if (!service) throw new Error("unimplemented operations are refused before");
    const ctx = new OperationContext(exchange, caller, options, operation);
    const output = await hiding(exchange, () => service.handle(operation.name, exchange.input, ctx));
    return protocol.serialize(operation, output, exchange.requestId);
  };
