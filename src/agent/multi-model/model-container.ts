// The model API of a multi-model container, as the agent calls it.
import { Agent, request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { LoadAnswer, ModelContainer } from "./model-cache.ts";

/** A container may take so long to load a model (AWS: 360 s). */
const loadWithinMs = 360_000;
const askWithinMs = 60_000;
const longestText = 8_192;

interface ContainerCall {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly withinMs?: number;
  readonly signal?: AbortSignal;
}

export interface ContainerConnection extends ModelContainer {
  /** The answer of POST /models/NAME/invoke. */
  invoke(
    name: string,
    headers: Readonly<Record<string, string>>,
    body: Buffer,
    signal: AbortSignal,
  ): Promise<IncomingMessage>;
  close(): void;
}

interface ModelList {
  readonly models?: readonly { readonly modelName?: unknown }[];
  readonly nextPageToken?: unknown;
}

/** `address`: base URL of the container at this moment. */
export function connectToContainer(address: () => Promise<string>): ContainerConnection {
  const sockets = new Agent({ keepAlive: true });
  const call = async ({ method, path, headers = {}, body, withinMs = 0, signal }: ContainerCall) => {
    const url = new URL(path, await address());
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const length = body === undefined ? {} : { "content-length": String(body.length) };
    const sent = request(url, {
      method,
      headers: { ...headers, ...length },
      agent: sockets,
      timeout: withinMs,
      ...(signal && { signal }),
    });
    sent.on("response", resolve);
    sent.on("error", reject);
    sent.on("timeout", () => sent.destroy(new Error(`the container did not answer within ${withinMs / 1_000} s`)));
    sent.end(body);
    return await promise;
  };
  const ask = async (wish: ContainerCall): Promise<LoadAnswer> => {
    const answer = await call({ withinMs: askWithinMs, ...wish });
    return { status: answer.statusCode ?? 500, text: await text(answer) };
  };
  return {
    load: async (name) => {
      const body = Buffer.from(JSON.stringify({ model_name: name, url: `/opt/ml/models/${name}/model` }));
      const headers = { "content-type": "application/json" };
      const answer = await ask({ method: "POST", path: "/models", headers, body, withinMs: loadWithinMs });
      return { ...answer, text: answer.text.slice(0, longestText) };
    },
    unload: async (name) => {
      const { status, text: why } = await ask({ method: "DELETE", path: `/models/${name}` });
      if (status >= 300 && status !== 404) throw new Error(`the container does not unload a model: ${status} ${why}`);
    },
    loaded: async () => {
      const names: string[] = [];
      let token: string | undefined;
      do {
        const query = token === undefined ? "" : `?next_page_token=${encodeURIComponent(token)}`;
        const { status, text: body } = await ask({ method: "GET", path: `/models${query}` });
        if (status >= 300) return names;
        const page = JSON.parse(body) as ModelList;
        names.push(...(page.models ?? []).map(({ modelName }) => String(modelName)));
        token = typeof page.nextPageToken === "string" && page.nextPageToken !== "" ? page.nextPageToken : undefined;
      } while (token !== undefined && names.length < 100_000);
      return names;
    },
    invoke: (name, headers, body, signal) =>
      call({ method: "POST", path: `/models/${name}/invoke`, headers, body, signal }),
    close: () => sockets.destroy(),
  };
}
