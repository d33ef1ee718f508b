// Stages: read the body where it does not stream, and find the operation.
import type { Protocol, Router, WireRequest } from "../protocols/index.ts";
import type { Exchange, Stage } from "./exchange.ts";

/** The largest body of InvokeEndpoint (its model's BodyBlob), and room for what stands around a body elsewhere. */
export const maxBodyBytes = 6_291_456 + 1_048_576;

const noBytes = new Uint8Array();

const wireRequest = ({ http, body }: Exchange): WireRequest => ({
  method: http.method,
  rawPath: http.rawPath,
  rawQuery: http.rawQuery,
  headers: http.headers,
  body: body ?? noBytes,
});

/** S3's requests are signed for S3, or, when they are not signed, name no other service. */
function isForS3({ http, claim }: Exchange, router: Router): boolean {
  if (claim.kind === "claim") return claim.service === "s3";
  const { headers, rawPath, rawQuery } = http;
  const namesService = headers["x-amz-target"] !== undefined || headers["smithy-protocol"] !== undefined;
  return !namesService && !router.needsBody({ method: http.method, rawPath, rawQuery, headers });
}

export const readBody =
  (router: Router): Stage =>
  async (exchange) => {
    if (!isForS3(exchange, router)) {
      exchange.body = exchange.http.hasBody ? await exchange.http.wholeBody(maxBodyBytes) : noBytes;
    }
    return undefined;
  };

export const findOperation =
  (router: Router): Stage =>
  async (exchange) => {
    const isS3 = exchange.body === undefined;
    const route = router.route(wireRequest(exchange), isS3 ? exchange.http.bucket : undefined);
    exchange.protocol = route.protocol;
    if (!route.operation) throw route.error;
    exchange.route = route;
    return undefined;
  };

/** How an error is written that came up before the operation was looked for. */
export const protocolFor = (exchange: Exchange, router: Router): Protocol =>
  exchange.protocol ?? router.route(wireRequest(exchange)).protocol;
