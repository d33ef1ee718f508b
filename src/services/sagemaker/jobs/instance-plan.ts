// What one instance of a job brings in: its part of the job's plan, in the words of its agent.
import type { PlannedChannel } from "../../../task/channel-plan.ts";
import type { PlanLine } from "../../../task/plan-lines.ts";
import { isForInstance, type JobChannel, type JobPlanLine } from "../channels/channel-planner.ts";
import { plannedObject } from "../channels/planned-object.ts";
import type { Objects } from "../context.ts";

export interface PlannedInstance {
  readonly objects: Pick<Objects, "localPath">;
  readonly taskKey: string;
  /** From 0. */
  readonly index: number;
  readonly count: number;
  /** How the instance gets a channel of the plan. */
  readonly channelOf: (channel: JobChannel) => Omit<PlannedChannel, "objects" | "name" | "groupSize">;
}

/** Without the last line: others may add their own. */
export async function* instanceLines(
  lines: AsyncIterable<JobPlanLine>,
  { objects, taskKey, index, count, channelOf }: PlannedInstance,
): AsyncGenerator<PlanLine> {
  let channel: JobChannel | undefined;
  let at = 0;
  for await (const line of lines) {
    if ("model" in line) yield { modelArchive: plannedObject(objects, taskKey, line.model, false) };
    else if ("channel" in line) {
      channel = line.channel;
      at = 0;
      const { name, groupSize } = channel;
      yield { channel: { name, ...(groupSize === undefined ? {} : { groupSize }), ...channelOf(channel) } };
    } else if (channel && isForInstance(channel, at++, index, count))
      yield { object: plannedObject(objects, taskKey, line.piece, channel.isGzip) };
  }
}
