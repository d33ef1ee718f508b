// Stop and Delete, the same for every kind of job.
import { deleteOperation, nameIn } from "../../derived-operations.ts";
import type { Resource, ResourceDefinition } from "../../resource-definition.ts";
import type { Operation } from "../../service.ts";
import type { SagemakerContext } from "../context.ts";
import { cannotDelete, cannotStop, jobExists, jobNotFound, type JobNoun } from "./errors.ts";
import { isOver, jobAtStart, visibleState, type JobIntent } from "./job-kind.ts";

type JobDefinition<Spec, Status> = ResourceDefinition<Spec, JobIntent, Status>;

/** What the definitions of jobs without a status of their own have in common. */
export const jobDefinition = {
  service: "sagemaker",
  initialStatus: jobAtStart,
  initialIntent: {},
  stateOf: visibleState,
  isReconciled: true,
  notFound: ({ arn }: { readonly arn: string }) => jobNotFound(arn),
  alreadyExists: ({ arn }: { readonly arn: string }) => jobExists(arn),
} as const;

/** Says only that it should end: SIGTERM, grace, SIGKILL are the agents' affair, the outcome is the reconciler's. */
export const stopOperation = <Spec, Status>(
  definition: JobDefinition<Spec, Status>,
  name: string,
  noun: JobNoun,
): Operation<SagemakerContext> => ({
  name,
  handle: async (input, ctx) => {
    await ctx.resources.change(definition, nameIn(input, definition.nameMember), ({ status, intent }) => {
      const state = definition.stateOf(status, intent);
      if (isOver({ state })) throw cannotStop(noun, state);
      return intent.stopRequestedAt ? undefined : { intent: { ...intent, stopRequestedAt: ctx.clock.now() } };
    });
    return {};
  },
});

/** Only a job that has ended can be deleted; what it stored stays. `check` may throw. */
export const deleteEndedOperation = <Spec, Status>(
  definition: JobDefinition<Spec, Status>,
  name: string,
  noun: JobNoun,
  check: (job: Resource<Spec, JobIntent, Status>) => void = () => undefined,
): Operation<SagemakerContext> =>
  deleteOperation(definition, name, (job) => {
    const state = definition.stateOf(job.status, job.intent);
    if (!isOver({ state })) throw cannotDelete(noun, job.arn, state);
    check(job);
  });
