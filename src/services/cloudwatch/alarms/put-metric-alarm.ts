import { AwsError } from "../../../lib/aws-error.ts";
import { timeOrderedUuid } from "../../../lib/random.ts";
import type { PutMetricAlarmInput } from "../../../models/generated/cloudwatch.ts";
import type { RequestContext } from "../../service.ts";
import { operation } from "../context.ts";
import { alarm, type Alarm, type AlarmSpec } from "./alarm.resource.ts";
import { checkAlarm } from "./check-alarm.ts";
import { saveHistory } from "./history.ts";

/** Makes the alarm, or gives one of that name a new configuration and leaves its state as it is. */
export const putMetricAlarm = operation("PutMetricAlarm", async (input, ctx) => {
  checkAlarm(input);
  const { Tags, ...spec } = input;
  if (await ctx.resources.find(alarm, input.AlarmName)) return update(spec, ctx);
  return create(spec, Tags, ctx).catch((error: unknown) => {
    // Somebody else made one of that name in between.
    if (error instanceof AwsError) return update(spec, ctx);
    throw error;
  });
});

async function create(spec: AlarmSpec, tags: PutMetricAlarmInput["Tags"], ctx: RequestContext): Promise<void> {
  const at = ctx.clock.now().getTime();
  await ctx.resources.create(alarm, spec.AlarmName, spec, {
    tags,
    status: { ...alarm.initialStatus, updatedAt: at, transitionedAt: at },
    alongside: async (tx, uid) => {
      const entry = configured(ctx, `Alarm "${spec.AlarmName}" created`, "Create");
      await saveHistory(tx, { ...ctx, name: spec.AlarmName, uid }, entry);
    },
  });
}

async function update(spec: AlarmSpec, ctx: RequestContext): Promise<void> {
  const changed = await ctx.resources.change(alarm, spec.AlarmName, () => ({ spec }));
  await record(changed, ctx, `Alarm "${spec.AlarmName}" updated`, "Update");
}

export async function record(changed: Alarm, ctx: RequestContext, summary: string, type: string): Promise<void> {
  await ctx.store.write((tx) => saveHistory(tx, changed, configured(ctx, summary, type)));
}

const configured = (ctx: RequestContext, summary: string, type: string) => {
  const at = ctx.clock.now().getTime();
  const id = timeOrderedUuid(ctx.random, at);
  return { id, at, type: "ConfigurationUpdate", summary, data: { version: "1.0", type } } as const;
};
