// What the instances' reports say about the job as a whole.
import type { MetricData } from "../../../models/generated/sagemaker.ts";
import { phaseRank, type ObservedTask } from "../tasks/observed-task.ts";
import { moveTo, say, walkOf, type Walk } from "./secondary-status.ts";

/** By the rank of the phase that every instance has reached. */
const stages = [
  { phase: "downloading", status: "Downloading" },
  { phase: "running", status: "Training" },
  { phase: "uploading", status: "Uploading" },
] as const;

const uploadingRank = phaseRank("uploading");

/** What ended without a phase (setup failed, lost) holds nobody back. */
const rankOf = (task: ObservedTask): number =>
  task.end ? uploadingRank : Math.min(phaseRank(task.phase), uploadingRank);

const startsOf = (tasks: readonly ObservedTask[], phase: "downloading" | "running" | "uploading"): number[] =>
  tasks.map((task) => task.phaseStarts[phase]).filter((at) => at !== undefined);

/** The walk as far as the slowest instance has come, each step dated when the last of them took it. */
export function walkWith(walk: Walk, tasks: readonly ObservedTask[], now: Date): Walk {
  const rank = Math.min(...tasks.map(rankOf));
  let walked = walkOf(walk);
  for (const { phase, status } of stages.slice(0, rank + 1)) {
    const starts = startsOf(tasks, phase);
    // Nobody uploads when nobody got that far.
    if (starts.length > 0) walked = moveTo(walked, status, new Date(Math.min(Math.max(...starts), now.getTime())));
  }
  const busy = tasks.find((task) => !task.end && rankOf(task) === rank);
  const isBeforeTraining = walked.SecondaryStatus === "Downloading";
  return isBeforeTraining && busy?.message !== undefined ? say(walked, busy.message) : walked;
}

/** When the first instance began to bring data in, which is what AWS bills from. */
export function trainingStart(tasks: readonly ObservedTask[]): Date | undefined {
  const starts = startsOf(tasks, "downloading");
  return starts.length === 0 ? undefined : new Date(Math.min(...starts));
}

/** The last value of each metric over all instances. */
export function finalMetrics(tasks: readonly ObservedTask[]): MetricData[] {
  const last = new Map<string, { readonly value: number; readonly at: number }>();
  for (const task of tasks) {
    for (const [name, point] of Object.entries(task.metrics)) {
      const known = last.get(name);
      if (!known || point.at >= known.at) last.set(name, point);
    }
  }
  return [...last]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([MetricName, { value, at }]) => ({ MetricName, Value: value, Timestamp: new Date(at) }));
}
