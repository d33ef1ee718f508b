// A plan on its way from the server to an agent: JSON lines, so that nobody on the way holds a million objects as one text.
import type { ChannelPlan, PlannedChannel, PlannedObject } from "./channel-plan.ts";

/** Each object belongs to the channel before it. "end" is the last line: without it the answer was cut off. */
export type PlanLine =
  | { readonly channel: Omit<PlannedChannel, "objects"> }
  | { readonly object: PlannedObject }
  | { readonly modelArchive: PlannedObject }
  | { readonly end: true };

export function* planLines({ channels, modelArchives }: ChannelPlan): Generator<PlanLine> {
  for (const { objects, ...channel } of channels) {
    yield { channel };
    for (const object of objects) yield { object };
  }
  for (const modelArchive of modelArchives) yield { modelArchive };
  yield { end: true };
}

/** Throws where the lines do not come to their end. */
export async function planOfLines(lines: AsyncIterable<PlanLine>): Promise<ChannelPlan> {
  const channels: (PlannedChannel & { readonly objects: PlannedObject[] })[] = [];
  const modelArchives: PlannedObject[] = [];
  for await (const line of lines) {
    if ("object" in line) channels.at(-1)?.objects.push(line.object);
    else if ("channel" in line) channels.push({ ...line.channel, objects: [] });
    else if ("modelArchive" in line) modelArchives.push(line.modelArchive);
    else return { channels, modelArchives };
  }
  throw new Error("the plan ended early");
}
