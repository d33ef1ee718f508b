// A whole HTTP side for tests: listener and pipeline on a free port, real IAM and STS, and whatever services a test brings.
import { connect } from "node:net";
import { onTestFinished } from "vitest";
import { openTestStore } from "../database/store.fake.ts";
import type { Store } from "../database/store.ts";
import { systemClock } from "../lib/clock.ts";
import { collectingLog } from "../lib/log.fake.ts";
import type { LogFields } from "../lib/log.ts";
import { systemRandom } from "../lib/random.ts";
import { createModels, type ServiceName } from "../models/index.ts";
import { createIam } from "../services/iam/index.ts";
import type { HttpRoute, RequestContext, Service } from "../services/service.ts";
import { createSts } from "../services/sts/index.ts";
import { createListener } from "./listener.ts";
import { createPipeline, type PipelineOptions } from "./pipeline.ts";

export const account = "000000000000";
export const rootKey = {
  accessKeyId: "AKIAEXAMPLE000000000",
  secretAccessKey: "a-secret-of-forty-characters-000000000000",
};
export const region = "us-west-2";

export type FakeHandler = (input: never, ctx: RequestContext) => unknown;

/** A service whose handlers are plain functions. */
export function fakeService(name: ServiceName, handlers: Readonly<Record<string, FakeHandler>>): Service {
  return {
    name,
    operations: new Set(Object.keys(handlers)),
    handle: async (operation, input, ctx) => handlers[operation]?.(input as never, ctx),
  };
}

export interface FakeHttp {
  readonly port: number;
  readonly url: string;
  readonly identity: Awaited<ReturnType<typeof createIam>>["identity"];
  /** Lines of level error. */
  readonly errors: LogFields[];
  /** What an AWS client of the root user is made with. */
  readonly client: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: typeof rootKey;
    readonly maxAttempts: number;
  };
  /** Sends bytes as they are; resolves with everything that came back when the server closes, or once it is silent for `quietMs` after its first byte. */
  raw(text: string | Buffer, quietMs?: number): Promise<string>;
  close(graceMs: number): Promise<void>;
}

export interface FakeHttpOptions {
  /** Instead of an empty one in memory; stays open. */
  readonly store?: Store;
  readonly services?: readonly Service[];
  readonly routes?: readonly HttpRoute[];
  readonly authorise?: NonNullable<PipelineOptions["authorise"]>;
  readonly allowedHosts?: readonly string[];
}

export async function startHttp(options: FakeHttpOptions = {}): Promise<FakeHttp> {
  const errors: LogFields[] = [];
  const platform = { clock: systemClock, random: systemRandom, log: collectingLog(errors) };
  const store = options.store ?? (await openTestStore({ clock: systemClock }));
  const { service, identity } = await createIam({ ...platform, store, accountId: account, rootKey });
  const handle = createPipeline({
    ...platform,
    store,
    models: createModels(),
    services: [service, createSts({ identity }), ...(options.services ?? [])],
    routes: options.routes ?? [],
    identity,
    nudge: () => {},
    ...(options.authorise ? { authorise: options.authorise } : {}),
  });
  const listener = createListener({ ...platform, allowedHosts: options.allowedHosts ?? [], handle });
  const { port } = await listener.listen("127.0.0.1", 0);
  let isClosed = false;
  const close = async (graceMs: number): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await listener.close(graceMs);
    if (!options.store) await store.close();
  };
  onTestFinished(() => close(0));
  const url = `http://127.0.0.1:${port}`;
  const client = { endpoint: url, region, credentials: rootKey, maxAttempts: 1 };
  return { port, url, identity, errors, client, raw: (text, quietMs) => sendRaw(port, text, quietMs), close };
}

function sendRaw(port: number, text: string | Buffer, quietMs = 250): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    // Generous until something comes: a busy machine is no failure.
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString("latin1");
      socket.setTimeout(quietMs);
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer));
    socket.write(text);
  });
}
