// The part of the Docker Engine API (docs.docker.com/reference/api/engine, version 1.41) that Salvia needs, over node:http: an engine
// on this machine, at its Unix socket or a loopback address, since tasks' folders are bound into its containers.
import { existsSync } from "node:fs";
import { request, type IncomingMessage, type RequestOptions } from "node:http";

/** No engine answers: it is not started, or restarting. */
export class EngineAwayError extends Error {}

/** The engine understood and said no. */
export class EngineRefusalError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface EngineCall {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the version, with its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Of silence; 0: none. */
  readonly timeoutMs?: number;
}

export interface DockerEngine {
  /** For messages: where it is looked for. */
  readonly address: string;
  /** Whether there may be one: its socket exists, or somebody named an address. */
  mayExist(): boolean;
  /** Parsed JSON; undefined for an empty answer. Throws EngineAwayError, EngineRefusalError, or the signal's reason. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what the API answers: this is the parsed boundary
  ask<T>(call: EngineCall): Promise<T>;
  /** The body as it comes; the caller reads it to its end or destroys it. */
  stream(call: EngineCall): Promise<IncomingMessage>;
}

const version = "/v1.41";
const answerWithinMs = 60_000;

/** `host`: as in DOCKER_HOST, unix:///path or tcp://address:port; the usual socket when undefined. */
export function connectToEngine(host: string | undefined): DockerEngine {
  const address = host ?? "unix:///var/run/docker.sock";
  const where = placeOf(address);
  const stream = (call: EngineCall): Promise<IncomingMessage> => send(where, address, call);
  return {
    address,
    mayExist: () => where.socketPath === undefined || existsSync(where.socketPath),
    stream,
    ask: async <T>(call: EngineCall) => {
      const text = await bodyOf(await stream(call));
      return (text.trim() === "" ? undefined : JSON.parse(text)) as T;
    },
  };
}

function placeOf(address: string): Pick<RequestOptions, "socketPath" | "host" | "port"> & { socketPath?: string } {
  if (address.startsWith("unix://")) return { socketPath: address.slice("unix://".length) };
  const url = new URL(address.replace(/^tcp:/, "http:"));
  return { host: url.hostname, port: url.port || 2375 };
}

function send(where: RequestOptions, address: string, call: EngineCall): Promise<IncomingMessage> {
  const { method, path, body, headers = {}, signal, timeoutMs = answerWithinMs } = call;
  const json = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const asking = request({
      ...where,
      method,
      path: version + path,
      headers: { ...headers, ...(json === undefined ? {} : { "content-type": "application/json" }) },
      agent: false,
      timeout: timeoutMs,
      ...(signal && { signal }),
    });
    asking.on("timeout", () => asking.destroy(new Error("no answer in time")));
    asking.on("error", (error) => {
      reject(
        signal?.aborted === true
          ? error
          : new EngineAwayError(`no Docker Engine answers at ${address} (${error.message})`),
      );
    });
    asking.on("response", (answer) => {
      const status = answer.statusCode ?? 500;
      if (status < 400) resolve(answer);
      else
        bodyOf(answer).then(
          (text) => reject(new EngineRefusalError(status, messageOf(text))),
          (error: unknown) => reject(error instanceof Error ? error : new Error(String(error))),
        );
    });
    asking.end(json);
  });
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text;
  }
}

/** Whole and as text. Throws EngineAwayError when it breaks off. */
async function bodyOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  try {
    for await (const part of answer) parts.push(part as Buffer);
  } catch (error) {
    throw new EngineAwayError("the Docker Engine broke off its answer", { cause: error });
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Whether an image is there under this name. */
export async function engineHas(engine: DockerEngine, image: string, signal?: AbortSignal): Promise<boolean> {
  try {
    await engine.ask({ method: "GET", path: `/images/${encodeURI(image)}/json`, ...(signal && { signal }) });
    return true;
  } catch (error) {
    // 400: no name that an engine could have.
    if (error instanceof EngineRefusalError && [400, 404].includes(error.status)) return false;
    throw error;
  }
}

/** As the engine wants filters: ?filters={"label":["a=b"]}. */
export const filterQuery = (filters: Readonly<Record<string, readonly string[]>>): string =>
  `filters=${encodeURIComponent(JSON.stringify(filters))}`;
