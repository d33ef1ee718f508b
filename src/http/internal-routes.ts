// Stage: HTTP beside the AWS APIs, by path prefix; /health is always there.
import type { HttpRoute } from "../services/service.ts";
import type { Stage } from "./exchange.ts";

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

export function internalRoutes(routes: readonly HttpRoute[]): Stage {
  const all = [healthRoute, ...routes];
  return async ({ http }) => {
    // In virtual-hosted style every path is a key.
    if (http.bucket !== undefined) return undefined;
    const route = all.find((candidate) => matches(candidate, http.rawPath));
    if (!route) return undefined;
    const { method, rawPath, rawQuery, headers, remoteAddress, signal } = http;
    const request = { method, rawPath, rawQuery, headers, body: http.streamBody(), remoteAddress, signal };
    const answer = await route.handle(request);
    return { status: answer.status, headers: answer.headers ?? {}, body: answer.body };
  };
}
