// Describe, List and Delete, derived from a kind's definition: a new kind writes only what is its own.
import { listResourcesOf, type ListDefaults, type ListInput } from "./list-resources.ts";
import type { Resource, ResourceDefinition } from "./resource-definition.ts";
import type { Operation, RequestContext } from "./service.ts";

/** The model requires the naming member of these operations, so it is a string by the time a handler runs. */
export const nameIn = (input: unknown, member: string): string =>
  (input as Readonly<Record<string, string>>)[member] ?? "";

/** Answers what the kind's `describe` says; throws its "not found". */
export const describeOperation = <Spec, Intent, Status, C extends RequestContext = RequestContext>(
  definition: ResourceDefinition<Spec, Intent, Status>,
  name: string,
): Operation<C> => ({
  name,
  handle: async (input, ctx) =>
    definition.describe(await ctx.resources.get(definition, nameIn(input, definition.nameMember))),
});

export interface ListOptions extends Partial<ListDefaults> {
  /** Operation, e.g. "ListModels". */
  readonly name: string;
  /** The member of the answer that holds the summaries, e.g. "Models". */
  readonly member: string;
}

/** Newest first unless the options say otherwise, as most of SageMaker's lists do. */
export const listOperation = <Spec, Intent, Status, C extends RequestContext = RequestContext>(
  definition: ResourceDefinition<Spec, Intent, Status>,
  { name, member, sortBy = "CreationTime", sortOrder = "Descending" }: ListOptions,
): Operation<C> => ({
  name,
  handle: async (input, ctx) => {
    const { summaries, ...rest } = await listResourcesOf(ctx.resources, definition, input as ListInput, {
      sortBy,
      sortOrder,
    });
    return { [member]: summaries, ...rest };
  },
});

/** For kinds whose rows go at once. `check` may throw. */
export const deleteOperation = <Spec, Intent, Status, C extends RequestContext = RequestContext>(
  definition: ResourceDefinition<Spec, Intent, Status>,
  name: string,
  check?: (resource: Resource<Spec, Intent, Status>) => void,
): Operation<C> => ({
  name,
  handle: async (input, ctx) => {
    await ctx.resources.delete(definition, nameIn(input, definition.nameMember), check);
    return {};
  },
});
