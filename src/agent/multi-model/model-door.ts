// Where a multi-model container's invocations arrive: the router sends them here, with the model's name, and not to the container.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import { modelProblemHeader, targetModelHeader, type ModelProblem } from "../../task/target-model.ts";
import { StageError } from "../planned-path.ts";
import { ModelLoadError, NoRoomError, type HeldModel, type ModelCache } from "./model-cache.ts";
import type { ContainerConnection } from "./model-container.ts";

export interface ModelDoorOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly cache: ModelCache;
  readonly container: ContainerConnection;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ModelDoor {
  readonly port: number;
  close(): void;
}

/** The router gives up after 60 s: the caller should hear why. */
const loadWithinMs = 55_000;
/** Of one connection to the next; left out of what is passed on. */
const ownHeaders: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "content-length",
  "host",
  "expect",
  targetModelHeader,
  modelProblemHeader,
]);

/** Rejects when the port is taken. */
export function openModelDoor(options: ModelDoorOptions): Promise<ModelDoor> {
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing, options).catch((error: unknown) => {
      options.log.warn("an invocation of a model broke off", { error });
      if (outgoing.headersSent) outgoing.destroy();
      else refuse(outgoing, 500, error instanceof Error ? error.message : String(error));
    });
  });
  server.requestTimeout = 0;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      const address = server.address();
      resolve({
        port: address !== null && typeof address === "object" ? address.port : options.port,
        close: () => {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}

async function serve(incoming: IncomingMessage, outgoing: ServerResponse, options: ModelDoorOptions): Promise<void> {
  const encoded = incoming.headers[targetModelHeader];
  if (incoming.method !== "POST" || incoming.url !== "/invocations" || typeof encoded !== "string") {
    incoming.resume();
    return refuse(outgoing, 404, "there is POST /invocations with a target model");
  }
  const gone = new AbortController();
  outgoing.on("close", () => gone.abort());
  const target = decodeURIComponent(encoded);
  const body = await buffer(incoming);
  const held = await heldOrRefused(target, outgoing, options);
  if (!held) return;
  try {
    await invoke(target, held, { incoming, outgoing, body, signal: gone.signal }, options);
  } finally {
    held.release();
  }
}

/** Undefined once the caller was told why the model is not there. */
async function heldOrRefused(
  target: string,
  outgoing: ServerResponse,
  { cache, clock }: ModelDoorOptions,
): Promise<HeldModel | undefined> {
  const inTime = new AbortController();
  const holding = cache.hold(target);
  try {
    const late = clock.sleep(loadWithinMs, inTime.signal).then(() => "late" as const);
    // Aborted below.
    late.catch(() => undefined);
    const first = await Promise.race([holding, late]);
    if (first !== "late") return first;
    holding.then(
      (held) => held.release(),
      // The next invocation tells it.
      () => undefined,
    );
    refuse(outgoing, 429, `The model ${target} is not ready for inference yet.`, "not-ready");
  } catch (error) {
    if (error instanceof ModelLoadError) refuse(outgoing, error.status, error.message);
    else if (error instanceof StageError || error instanceof NoRoomError)
      refuse(outgoing, 400, error.message, "no-model");
    else throw error;
  } finally {
    inTime.abort();
  }
  return undefined;
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly body: Buffer;
  readonly signal: AbortSignal;
}

async function invoke(target: string, held: HeldModel, exchange: Exchange, options: ModelDoorOptions): Promise<void> {
  const { cache, container } = options;
  const { incoming, outgoing, body, signal } = exchange;
  const shown = /^[\x20-\x7e]+$/.test(target) ? target : encodeURI(target);
  const headers = { ...passedOn(incoming), "x-amzn-sagemaker-target-model": shown };
  let answer = await container.invoke(held.name, headers, body, signal);
  // A container that was started anew inside of its task has forgotten its models; a model may answer 404, too.
  if (answer.statusCode === 404 && !(await container.loaded()).includes(held.name)) {
    answer.resume();
    cache.forget(held.name);
    const again = await heldOrRefused(target, outgoing, options);
    if (!again) return;
    again.release(); // `held` still keeps it.
    answer = await container.invoke(held.name, headers, body, signal);
  }
  outgoing.writeHead(answer.statusCode ?? 502, passedOn(answer));
  await pipeline(answer, outgoing);
}

const passedOn = (message: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(message.headers).flatMap(([name, value]) =>
      ownHeaders.has(name) || value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
    ),
  );

function refuse(outgoing: ServerResponse, status: number, text: string, problem?: ModelProblem): void {
  outgoing.writeHead(status, {
    "content-type": "text/plain",
    ...(problem === undefined ? {} : { [modelProblemHeader]: problem }),
  });
  outgoing.end(text);
}
