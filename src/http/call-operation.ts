// Stages: parse and check the input by the model, call the handler, write its output.
import { Readable } from "node:stream";
import { AwsError } from "../lib/aws-error.ts";
import type { OperationModel, Validator } from "../models/index.ts";
import type { WireRequest } from "../protocols/index.ts";
import { Resources } from "../services/resources.ts";
import type { RequestContext, Service } from "../services/service.ts";
import type { Exchange, PipelineOptions, Stage } from "./exchange.ts";
import { maxBodyBytes } from "./find-operation.ts";
import { readWhole } from "./request-body.ts";
import { openS3Body } from "./s3-body.ts";

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
  if (!route) throw new Error("the operation is found before its input is parsed");
  const wantsStream = route.operation.inputStream !== undefined;
  if (body !== undefined || !verified) {
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

/** Getters make what few handlers use only when it is asked for. */
function contextOf(exchange: Exchange, options: PipelineOptions): RequestContext {
  const { requestId, http, caller, route, verified, trailers } = exchange;
  if (!caller || !route) throw new Error("caller and operation are known before the handler is called");
  const { clock, random, store, nudge } = options;
  const region = verified?.claim.region ?? "us-east-1";
  const { account } = caller;
  const { name: service } = route.operation.service;
  const { name: operation } = route.operation;
  const { method, host, isSecure, rawPath, rawQuery, headers } = http;
  return {
    requestId,
    account,
    region,
    caller,
    service,
    operation,
    http: { method, host, isSecure, rawPath, rawQuery, headers, ...(trailers ? { trailers } : {}) },
    get signal() {
      return http.signal;
    },
    clock,
    random,
    get log() {
      return options.log.with({ requestId });
    },
    store,
    get resources() {
      return new Resources({ store, clock, random, scope: { account, region }, nudge });
    },
  };
}

export const callOperation =
  (services: ServicesByName, options: PipelineOptions): Stage =>
  async (exchange) => {
    const { operation, protocol } = exchange.route ?? {};
    const service = operation && services.get(operation.service.name);
    if (!operation || !protocol || !service) throw new Error("unimplemented operations are refused before");
    const output = await service.handle(operation.name, exchange.input, contextOf(exchange, options));
    return protocol.serialize(operation, output, exchange.requestId);
  };
