// Stage: HTTP beside the AWS APIs, by path prefix; /health is always there.
import { AwsError } from "../lib/aws-error.ts";
import type { Caller, HttpRoute } from "../services/service.ts";
import type { SigningKeys } from "../protocols/signing-keys.ts";
import type { Exchange, PipelineOptions, Stage } from "./exchange.ts";
import { signer } from "./verify-caller.ts";

const json = { "content-type": "application/json" };

const healthRoute: HttpRoute = {
  prefix: "/health",
  handle: async ({ method }) =>
    method === "GET" || method === "HEAD"
      ? { status: 200, headers: json, body: '{"status":"ok"}' }
      : { status: 405, headers: { allow: "GET, HEAD" } },
};

/** A prefix that ends in a slash covers what is below it; any other is one path. */
const matches = ({ prefix }: HttpRoute, rawPath: string): boolean =>
  prefix.endsWith("/") ? rawPath.startsWith(prefix) : rawPath === prefix;

/** Undefined for routes that are not signed; why the signature is none, or its caller may not, otherwise. */
async function callerOf(
  { signedFor }: HttpRoute,
  exchange: Exchange,
  options: PipelineOptions,
  keys: SigningKeys,
): Promise<Caller | AwsError | undefined> {
  if (signedFor === undefined) return undefined;
  try {
    const { caller, region } = await signer(exchange, signedFor.service, options, keys);
    await options.authoriseAction?.({ caller, region, action: signedFor.action, http: exchange.http });
    return caller;
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}

export function internalRoutes(routes: readonly HttpRoute[], options: PipelineOptions, keys: SigningKeys): Stage {
  const all = [healthRoute, ...routes];
  return async (exchange) => {
    const { http } = exchange;
    // In virtual-hosted style every path is a key.
    if (http.bucket !== undefined) return undefined;
    const route = all.find((candidate) => matches(candidate, http.rawPath));
    if (!route) return undefined;
    const { method, rawPath, rawQuery, headers, remoteAddress, signal } = http;
    const body = http.streamBody();
    const caller = await callerOf(route, exchange, options, keys);
    if (caller instanceof AwsError)
      return { status: 403, headers: json, body: JSON.stringify({ message: caller.message }) };
    const request = { method, rawPath, rawQuery, headers, body, remoteAddress, signal, ...(caller && { caller }) };
    const answer = await route.handle(request);
    return { status: answer.status, headers: answer.headers ?? {}, body: answer.body };
  };
}
