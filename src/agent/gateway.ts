// The task's door to Salvia's API: forwards every request as it is, so that signatures stay valid, and hands out the execution role's
// credentials as the SDKs ask for them (AWS_CONTAINER_CREDENTIALS_FULL_URI).
import { timingSafeEqual } from "node:crypto";
import { Agent, createServer, request, type ClientRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { TaskCredentials } from "../task/report.ts";

export interface Gateway {
  readonly port: number;
  close(): void;
}

export interface GatewayOptions {
  /** Address to listen on. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly token: string;
  readonly serverUrl: () => string;
  readonly clock: Clock;
  readonly log: Log;
  readonly credentials: () => Promise<TaskCredentials>;
}

const renewBeforeMs = 5 * 60_000;

/** Rejects when the port is taken. */
export function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { host, port, token, log } = options;
  const sockets = new Agent({ keepAlive: true });
  const credentials = cachedCredentials(options);
  const server = createServer((incoming, outgoing) => {
    const path = reservedPath(incoming.url ?? "/");
    if (path === undefined) {
      forward(incoming, outgoing, options, sockets);
    } else if (
      path === "/_salvia/credentials" &&
      incoming.method === "GET" &&
      isToken(incoming.headers.authorization, token)
    ) {
      credentials().then(
        (found) => answer(outgoing, 200, found),
        (error: unknown) => {
          log.warn("no credentials for the task", { error });
          answer(outgoing, 503, { message: "Salvia is not reachable at the moment" });
        },
      );
    } else answer(outgoing, 403, { message: "not open to tasks" });
  });
  // Long uploads and streaming answers are the client's business.
  server.requestTimeout = 0;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      const address = server.address();
      const opened = address !== null && typeof address === "object" ? address.port : port;
      resolve({
        port: opened,
        close: () => {
          server.close();
          server.closeAllConnections();
          sockets.destroy();
        },
      });
    });
  });
}

/** The path when it belongs to Salvia's own routes, however it is written; undefined for AWS's. */
function reservedPath(url: string): string | undefined {
  const path = url.replace(/^[a-z]+:\/\/[^/]*/i, "").split("?", 1)[0]!;
  let plain = path;
  try {
    plain = decodeURIComponent(path);
  } catch {
    // Not decodable: no route of Salvia's.
  }
  const parts = plain.split(/[/\\]+/).filter((part) => part !== "" && part !== ".");
  return parts.includes("..") || parts[0]?.toLowerCase() === "_salvia" ? `/${parts.join("/")}` : undefined;
}

const isToken = (given: string | undefined, token: string): boolean => {
  const [a, b] = [Buffer.from(given ?? ""), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
};

function cachedCredentials({ credentials, clock }: GatewayOptions): () => Promise<TaskCredentials> {
  let held: TaskCredentials | undefined;
  return async () => {
    const isFresh = held !== undefined && Date.parse(held.Expiration) - clock.now().getTime() > renewBeforeMs;
    if (!isFresh || held === undefined) held = await credentials();
    return held;
  };
}

function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { serverUrl, log }: GatewayOptions,
  sockets: Agent,
): void {
  const server = currentServer(serverUrl, log);
  const call = server && openCall(server, incoming, sockets);
  if (!call) {
    incoming.resume();
    if (server) answer(outgoing, 400, { message: "this request cannot be sent on" });
    else answer(outgoing, 503, { message: "Salvia is not reachable at the moment" });
    return;
  }
  call.on("response", (reply) => {
    reply.on("error", () => outgoing.destroy());
    outgoing.writeHead(reply.statusCode ?? 502, reply.statusMessage, reply.rawHeaders);
    reply.pipe(outgoing);
  });
  // "Expect: 100-continue" is answered by node on this side; the server's own answer to it is swallowed.
  call.on("error", (error) => {
    log.debug("forwarding failed", { error: error.message });
    if (outgoing.headersSent) outgoing.destroy();
    else answer(outgoing, 503, { message: "Salvia is not reachable at the moment" });
  });
  outgoing.on("close", () => call.destroy());
  incoming.pipe(call);
}

function currentServer(serverUrl: () => string, log: Log): URL | undefined {
  try {
    return new URL(serverUrl());
  } catch (error) {
    log.warn("the server's address cannot be read", { error });
    return undefined;
  }
}

/** Undefined for what node's client refuses to write, e.g. Trailer beside Content-Length: thrown, it would end the agent. */
function openCall(server: URL, incoming: IncomingMessage, sockets: Agent): ClientRequest | undefined {
  try {
    return request({
      host: server.hostname,
      port: server.port || 80,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.rawHeaders,
      agent: sockets,
      setHost: false,
    });
  } catch {
    return undefined;
  }
}

function answer(outgoing: ServerResponse, status: number, body: object): void {
  outgoing.writeHead(status, { "content-type": "application/json" });
  outgoing.end(JSON.stringify(body));
}
