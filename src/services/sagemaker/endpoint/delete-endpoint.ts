import { operation } from "../context.ts";
import { endpoint } from "./endpoint.resource.ts";

/** In whatever state it is. Asking again changes nothing; the row goes once its instances are gone. */
export const deleteEndpoint = operation("DeleteEndpoint", async ({ EndpointName }, ctx) => {
  await ctx.resources.change(endpoint, EndpointName, ({ intent }) =>
    intent.deleteRequestedAt ? undefined : { intent: { ...intent, deleteRequestedAt: ctx.clock.now() } },
  );
  return {};
});
