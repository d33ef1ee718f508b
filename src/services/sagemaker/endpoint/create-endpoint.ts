import { operation } from "../context.ts";
import { notImplemented } from "../not-implemented.ts";
import { checkNewTags } from "../tags/tag-rules.ts";
import { endpoint } from "./endpoint.resource.ts";
import { checkSize, planDeployment } from "./plan-deployment.ts";

/** Answers once the row is durable; the reconciler brings the instances up. */
export const createEndpoint = operation("CreateEndpoint", async (input, ctx) => {
  // It would shape a later update: traffic shifting and roll-back by alarms.
  if (input.DeploymentConfig) throw notImplemented("DeploymentConfig");
  checkNewTags(input.Tags ?? []);
  const deployment = await planDeployment(input.EndpointConfigName, 1, ctx);
  checkSize(deployment, ctx);
  const spec = { change: 1, changedAt: ctx.clock.now(), deployment };
  const created = await ctx.resources.create(endpoint, input.EndpointName, spec, { tags: input.Tags });
  return { EndpointArn: created.arn };
});
