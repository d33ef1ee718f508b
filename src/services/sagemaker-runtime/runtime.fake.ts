// What tests of the router share: rows of endpoints, small HTTP servers as instances, and calls.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { openTestStore } from "../../database/store.fake.ts";
import type { Store } from "../../database/store.ts";
import { FakeClock } from "../../lib/clock.fake.ts";
import { systemClock, type Clock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { seededRandom } from "../../lib/random.ts";
import type { SagemakerRuntimeOperations } from "../../models/generated/sagemaker-runtime.ts";
import { requestContext } from "../request-context.fake.ts";
import type { Metrics } from "../cloudwatch/index.ts";
import { createSagemakerRuntime, type EndpointRoutes } from "./index.ts";

export const account = "000000000000";
export const region = "us-west-2";

export type Model = (body: Buffer, request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export interface FakeInstance {
  readonly id: string;
  readonly address: string;
  readonly received: { readonly headers: IncomingMessage["headers"]; readonly body: Buffer }[];
  close(): Promise<void>;
}

/** An instance on a free port; by default it answers with the body that it got. */
export async function instance(
  id: string,
  model: Model = (body, _, response) => void response.end(body),
): Promise<FakeInstance> {
  const received: FakeInstance["received"] = [];
  const server = createServer((request, response) => {
    void buffer(request)
      .then((body) => {
        received.push({ headers: request.headers, body });
        return model(body, request, response);
      })
      // The router hung up in the middle of its request.
      .catch(() => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(close);
  const { port } = server.address() as AddressInfo;
  return { id, address: `http://127.0.0.1:${port}`, received, close };
}

type Input<Name extends keyof SagemakerRuntimeOperations> = SagemakerRuntimeOperations[Name]["input"];
type Output<Name extends keyof SagemakerRuntimeOperations> = SagemakerRuntimeOperations[Name]["output"];
type Datum = Parameters<Metrics["put"]>[3][number];

export interface FakeRuntime {
  readonly store: Store;
  readonly metrics: (Datum & { readonly namespace: string })[];
  /** Makes the row, or changes it. */
  setEndpoint(state: string, routes: EndpointRoutes, intent?: object): Promise<void>;
  /** One variant, AllTraffic, with these instances. */
  serve(...instances: readonly FakeInstance[]): Promise<void>;
  call<Name extends keyof SagemakerRuntimeOperations>(
    name: Name,
    input: Input<Name>,
    signal?: AbortSignal,
  ): Promise<Output<Name>>;
  invoke(
    input?: Partial<Input<"InvokeEndpoint">>,
    signal?: AbortSignal,
  ): Promise<Output<"InvokeEndpoint"> & { readonly text: string }>;
  /** Writes what was counted, as the server does when it stops. */
  stop(): Promise<void>;
}

const row = {
  uid: "uid-digits",
  kind: "sagemaker/endpoint",
  account,
  region,
  name: "digits",
  spec: "{}",
  tags: "[]",
  created_at: 0,
  modified_at: 0,
  generation: 1,
  wake_at: null,
  lease_token: null,
  lease_until: null,
  failures: 0,
};

export async function fakeRuntime(clock: Clock = systemClock): Promise<FakeRuntime> {
  const store = await openTestStore({ clock: new FakeClock() });
  const metrics: FakeRuntime["metrics"] = [];
  const random = seededRandom(7);
  const sink: Metrics = {
    put: async (_tx, _scope, namespace, data) => void metrics.push(...data.map((datum) => ({ ...datum, namespace }))),
  };
  const runtime = createSagemakerRuntime({ store, clock, random, log: silentLog, metrics: sink });
  onTestFinished(async () => {
    await runtime.stop();
    await store.close();
  });
  const call: FakeRuntime["call"] = async (name, input, signal = new AbortController().signal) =>
    (await runtime.service.handle(
      name,
      input,
      requestContext({ service: "sagemaker-runtime", operation: name, account, region, store, clock, random, signal }),
    )) as never;
  const setEndpoint: FakeRuntime["setEndpoint"] = async (state, routes, intent = {}) => {
    const values = {
      status: JSON.stringify({ EndpointStatus: state, routes }),
      intent: JSON.stringify(intent),
      state,
    };
    await store.write((tx) =>
      tx
        .insertInto("resources")
        .values({ ...row, ...values })
        .onConflict((conflict) => conflict.column("uid").doUpdateSet(values))
        .execute(),
    );
  };
  return {
    store,
    metrics,
    call,
    setEndpoint,
    serve: (...instances) =>
      setEndpoint("InService", { variants: [{ name: "AllTraffic", weight: 1, instances: [...instances] }] }),
    invoke: async (input = {}, signal) => {
      const answer = await call(
        "InvokeEndpoint",
        { EndpointName: "digits", Body: Buffer.from("1,2"), ...input },
        signal,
      );
      return { ...answer, text: Buffer.from(answer.Body).toString() };
    },
    stop: () => runtime.stop(),
  };
}
