// Front door of SageMaker Runtime.
import type { Store } from "../../database/store.ts";
import type { Chore } from "../../engine/engine.ts";
import { seconds, type Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import type { Random } from "../../lib/random.ts";
import type { Metrics } from "../cloudwatch/index.ts";
import { defineService, type Service } from "../service.ts";
import { endpointLookup } from "./endpoint-lookup.ts";
import { InstanceConnections } from "./instance-connections.ts";
import { InvocationMetrics } from "./invocation-metrics.ts";
import { invokeEndpoint, invokeEndpointWithResponseStream, type RuntimeContext } from "./invoke-endpoint.ts";
import { Router } from "./router.ts";

export type { EndpointRoutes } from "./endpoint-routes.ts";

export interface SagemakerRuntimeParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface SagemakerRuntime {
  readonly service: Service;
  readonly chores: readonly Chore[];
  /** Writes the last counts and closes the connections. */
  stop(): Promise<void>;
}

const operations = [invokeEndpoint, invokeEndpointWithResponseStream];

export function createSagemakerRuntime(parts: SagemakerRuntimeParts): SagemakerRuntime {
  const { store, clock, random } = parts;
  const connections = new InstanceConnections(clock);
  const router = new Router({ lookup: endpointLookup(store), connections, clock, random });
  const invocations = new InvocationMetrics(parts);
  return {
    service: defineService<RuntimeContext>("sagemaker-runtime", operations, { router, invocations }),
    chores: [
      {
        name: "write the metrics of invocations",
        everyMs: seconds(10),
        run: async () => {
          await invocations.flush();
          await connections.sweep();
        },
      },
    ],
    stop: async () => {
      await connections.close();
      await invocations.flush();
    },
  };
}
