// Front door of SageMaker: every operation, reconciler and route, one line each.
import type { Chore } from "../../engine/engine.ts";
import type { AnyReconciler } from "../../engine/reconciler.ts";
import { defineService, type HttpRoute, type Operation, type Service } from "../service.ts";
import type { SagemakerContext, SagemakerPlatform } from "./context.ts";

export type { SagemakerPlatform } from "./context.ts";

export interface Sagemaker {
  readonly service: Service;
  readonly reconcilers: readonly AnyReconciler[];
  readonly routes: readonly HttpRoute[];
  readonly chores: readonly Chore[];
}

const operations: readonly Operation<SagemakerContext>[] = [];

export function createSagemaker(platform: SagemakerPlatform): Sagemaker {
  const { objects, capacity, identity, algorithms, compute } = platform;
  const service = defineService<SagemakerContext>("sagemaker", operations, (ctx) => ({
    ...ctx,
    objects,
    capacity,
    identity,
    algorithms,
    compute,
  }));
  return { service, reconcilers: [], routes: [], chores: [] };
}
