// Operations that change alarms that are there: state by hand, actions on and off, deletion, tags.
import { AwsError } from "../../../lib/aws-error.ts";
import { timeOrderedUuid } from "../../../lib/random.ts";
import type { RequestContext } from "../../service.ts";
import { operation } from "../context.ts";
import { validationFailure } from "../errors.ts";
import { alarm, type Alarm } from "./alarm.resource.ts";
import { record } from "./put-metric-alarm.ts";

const maxTags = 50;

export const setAlarmState = operation("SetAlarmState", async (input, ctx) => {
  const { AlarmName, StateValue, StateReason, StateReasonData } = input;
  if (StateReasonData !== undefined && !isJson(StateReasonData))
    throw new AwsError("InvalidFormat", "StateReasonData must be JSON.");
  const at = ctx.clock.now().getTime();
  const forced = { id: timeOrderedUuid(ctx.random, at), at, StateValue, StateReason, StateReasonData };
  await ctx.resources.change(alarm, AlarmName, () => ({ intent: { forced } }));
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const setActions =
  (ActionsEnabled: boolean) =>
  async ({ AlarmNames }: { readonly AlarmNames: readonly string[] }, ctx: RequestContext): Promise<void> => {
    for (const name of AlarmNames) {
      // Names that nobody has are no error, as on AWS.
      if (!(await ctx.resources.find(alarm, name))) continue;
      await ctx.resources.change(alarm, name, ({ spec }) => ({ spec: { ...spec, ActionsEnabled } }));
    }
  };

export const enableAlarmActions = operation("EnableAlarmActions", setActions(true));
export const disableAlarmActions = operation("DisableAlarmActions", setActions(false));

/** All of them or none. */
export const deleteAlarms = operation("DeleteAlarms", async ({ AlarmNames }, ctx) => {
  const alarms: Alarm[] = [];
  for (const name of new Set(AlarmNames)) alarms.push(await ctx.resources.get(alarm, name));
  for (const found of alarms) {
    await ctx.resources.delete(alarm, found.name);
    await record(found, ctx, `Alarm "${found.name}" deleted`, "Delete");
  }
});

function nameIn(resourceArn: string, { region, account }: RequestContext): string {
  const prefix = alarm.arn({ region, account, name: "" });
  if (resourceArn.startsWith(prefix) && resourceArn.length > prefix.length) return resourceArn.slice(prefix.length);
  throw new AwsError("ResourceNotFoundException", `There is no resource ${resourceArn}.`);
}

async function taggedAlarm(resourceArn: string, ctx: RequestContext): Promise<Alarm> {
  const found = await ctx.resources.find(alarm, nameIn(resourceArn, ctx));
  if (!found) throw new AwsError("ResourceNotFoundException", `There is no resource ${resourceArn}.`);
  return found;
}

export const tagResource = operation("TagResource", async ({ ResourceARN, Tags }, ctx) => {
  const { name } = await taggedAlarm(ResourceARN, ctx);
  await ctx.resources.change(alarm, name, ({ tags }) => {
    const merged = new Map([...tags, ...Tags].map(({ Key, Value }) => [Key, Value]));
    if (merged.size > maxTags) throw validationFailure(`A resource has at most ${maxTags} tags.`);
    return { tags: Array.from(merged, ([Key, Value]) => ({ Key, Value })) };
  });
  return {};
});

export const untagResource = operation("UntagResource", async ({ ResourceARN, TagKeys }, ctx) => {
  const { name } = await taggedAlarm(ResourceARN, ctx);
  const removed = new Set(TagKeys);
  await ctx.resources.change(alarm, name, ({ tags }) => ({ tags: tags.filter(({ Key }) => !removed.has(Key)) }));
  return {};
});

export const listTagsForResource = operation("ListTagsForResource", async ({ ResourceARN }, ctx) => {
  const { tags } = await taggedAlarm(ResourceARN, ctx);
  return { Tags: tags };
});
