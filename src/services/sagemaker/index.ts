// Front door of SageMaker: every operation, reconciler and kind that runs tasks, one line each.
import { costRoute } from "./cost/cost-route.ts";
import type { Chore } from "../../engine/engine.ts";
import type { AnyReconciler } from "../../engine/reconciler.ts";
import { defineService, type HttpRoute, type Operation, type Service } from "../service.ts";
import type { SagemakerContext, SagemakerPlatform } from "./context.ts";
import { endpointConfigOperations } from "./endpoint-config/index.ts";
import { endpointConfig } from "./endpoint-config/endpoint-config.resource.ts";
import { endpointOperations } from "./endpoint/index.ts";
import { endpointTasks } from "./endpoint/endpoint-tasks.ts";
import { endpoint } from "./endpoint/endpoint.resource.ts";
import { endpointReconciler } from "./endpoint/endpoint.reconciler.ts";
import { modelOperations } from "./model/index.ts";
import { model } from "./model/model.resource.ts";
import { processingJobOperations } from "./processing-job/index.ts";
import { processingJob } from "./processing-job/processing-job.resource.ts";
import { processingJobTasks } from "./processing-job/processing-job-tasks.ts";
import { processingJobReconciler } from "./processing-job/processing-job.reconciler.ts";
import { searchedKind, searchOperation, type SearchedKind } from "./search/search.ts";
import { taggedKind, tagOperations, type TaggedKind } from "./tags/tag-operations.ts";
import { orphanSweeper } from "./tasks/orphan-sweeper.ts";
import type { TaskOwner } from "./tasks/task-owner.ts";
import { taskRoute } from "./tasks/task-route.ts";
import { trainingJobOperations } from "./training-job/index.ts";
import { trainingJob } from "./training-job/training-job.resource.ts";
import { trainingJobTasks } from "./training-job/training-job-tasks.ts";
import { trainingJobReconciler } from "./training-job/training-job.reconciler.ts";
import { transformJobOperations } from "./transform-job/index.ts";
import { transformJob } from "./transform-job/transform-job.resource.ts";
import { transformJobTasks } from "./transform-job/transform-job-tasks.ts";
import { transformJobReconciler } from "./transform-job/transform-job.reconciler.ts";

export type { SagemakerPlatform } from "./context.ts";

export interface Sagemaker {
  readonly service: Service;
  readonly reconcilers: readonly AnyReconciler[];
  readonly routes: readonly HttpRoute[];
  readonly chores: readonly Chore[];
}

const taggedKinds: readonly TaggedKind[] = [
  taggedKind(trainingJob),
  taggedKind(model),
  taggedKind(endpointConfig),
  taggedKind(endpoint),
  taggedKind(transformJob),
  taggedKind(processingJob),
];

const searchedKinds: readonly SearchedKind[] = [
  searchedKind("TrainingJob", trainingJob, "TrainingJobStatus"), //
];

const operations: readonly Operation<SagemakerContext>[] = [
  ...trainingJobOperations,
  ...modelOperations,
  ...endpointConfigOperations,
  ...endpointOperations,
  ...transformJobOperations,
  ...processingJobOperations,
  ...tagOperations(taggedKinds),
  searchOperation(searchedKinds),
];

const reconcilersOf = (platform: SagemakerPlatform): readonly AnyReconciler[] => [
  trainingJobReconciler(platform),
  endpointReconciler(platform),
  transformJobReconciler(platform),
  processingJobReconciler(platform),
];

const taskOwnersOf = (platform: SagemakerPlatform): readonly TaskOwner[] => [
  trainingJobTasks(platform),
  endpointTasks(platform),
  transformJobTasks(platform),
  processingJobTasks(platform),
];

export { costAnswer, CostQueryError, readCostQuery, type CostAnswer, type CostQuery } from "./cost/cost-route.ts";

export function createSagemaker(platform: SagemakerPlatform): Sagemaker {
  const { objects, capacity, roles, algorithms, compute, fileSystems } = platform;
  const own = { objects, capacity, roles, algorithms, compute, fileSystems };
  return {
    service: defineService<SagemakerContext>("sagemaker", operations, own),
    reconcilers: reconcilersOf(platform),
    routes: [taskRoute(platform, taskOwnersOf(platform)), costRoute(platform)],
    chores: [orphanSweeper(platform)],
  };
}
