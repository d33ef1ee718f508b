// What happens to a request, in order. The first stage that answers ends it; what a stage throws becomes the service's own
// error. The idea of a visible, ordered list comes from LocalStack's handler chain.
import { AwsError } from "../lib/aws-error.ts";
import { createValidator } from "../models/index.ts";
import { createRouter, type Router } from "../protocols/index.ts";
import { readSignatureV2 } from "../protocols/signature-v2.ts";
import { readSignature } from "../protocols/signature-v4.ts";
import { SigningKeys } from "../protocols/signing-keys.ts";
import { callOperation, parseInput, refuseUnimplemented } from "./call-operation.ts";
import type { Exchange, PipelineOptions, Stage } from "./exchange.ts";
import { faultError } from "./fault-error.ts";
import { findOperation, protocolFor, readBody } from "./find-operation.ts";
import type { HttpAnswer, HttpRequest } from "./http-request.ts";
import { internalRoutes } from "./internal-routes.ts";
import { postForm } from "./post-form.ts";
import { authorise, verifyCaller } from "./verify-caller.ts";

export type { PipelineOptions } from "./exchange.ts";

export function createPipeline(options: PipelineOptions): (http: HttpRequest) => Promise<HttpAnswer> {
  const router = createRouter(options.models);
  const services = new Map(options.services.map((service) => [service.name, service]));
  const keys = new SigningKeys();
  const find = findOperation(router);
  const verify = verifyCaller(options, keys);
  const carryOut: readonly Stage[] = [
    refuseUnimplemented(services),
    parseInput(createValidator()),
    authorise(options),
    callOperation(services, options),
  ];
  const stages: readonly Stage[] = [
    internalRoutes(options.routes, options, keys),
    postForm(options, keys, { find, stranger: verify, rest: carryOut }),
    readBody(router),
    find,
    verify,
    ...carryOut,
  ];
  return async (http) => {
    const startedMs = options.clock.monotonicMs();
    const exchange: Exchange = {
      http,
      requestId: options.random.uuid(),
      claim: readSignatureV2(http) ?? readSignature(http),
    };
    const answer = await run(stages, exchange, (error) => errorAnswer(error, exchange, router, options));
    logRequest(exchange, answer, options, startedMs);
    return answer;
  };
}

async function run(
  stages: readonly Stage[],
  exchange: Exchange,
  onError: (error: unknown) => HttpAnswer,
): Promise<HttpAnswer> {
  try {
    for (const stage of stages) {
      const answer = await stage(exchange);
      if (answer) return answer;
    }
    throw new Error("the last stage must answer");
  } catch (error) {
    return onError(error);
  }
}

/** A bug, or a fault of the machine, is logged with its stack and told without its details. */
function errorAnswer(error: unknown, exchange: Exchange, router: Router, { log }: PipelineOptions): HttpAnswer {
  const { requestId, http, route } = exchange;
  const operation = route?.operation;
  const protocol = protocolFor(exchange, router);
  if (error instanceof AwsError) return protocol.serializeError(operation, error, requestId);
  log.error("request failed", {
    requestId,
    method: http.method,
    path: http.rawPath,
    operation: operation?.name,
    error,
  });
  return protocol.serializeError(operation, faultError(error, protocol.name), requestId);
}

const isRead = (operation: string | undefined): boolean =>
  operation === undefined || /^(?:Get|Head|List|Describe|Invoke|BatchGet|BatchDescribe)/.test(operation);

/** One line per request: writes and failures always, reads when debugging. */
function logRequest(
  { requestId, http, route, caller }: Exchange,
  answer: HttpAnswer,
  options: PipelineOptions,
  startedMs: number,
): void {
  const operation = route?.operation.name;
  const level = answer.status >= 400 || !isRead(operation) ? "info" : "debug";
  const ms = Math.round((options.clock.monotonicMs() - startedMs) * 10) / 10;
  const facts = { requestId, service: route?.operation.service.name, operation, status: answer.status, ms };
  const { method, rawPath } = http;
  options.log[level]("request", { ...facts, caller: caller?.arn, ...(operation ? {} : { method, path: rawPath }) });
}
