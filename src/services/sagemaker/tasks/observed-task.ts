// What is known about a task from its agent's reports, as one JSON value that each report folds into.
import type { TaskEnd, TaskEvent, TaskPhase, UsageEvent } from "../../../task/report.ts";
import type { Blob } from "../../../storage/storage.ts";
import type { MetricPoint } from "./task-owner.ts";

export type PartName = "model" | "output";

export interface ObservedTask {
  readonly phase?: TaskPhase;
  /** For people, with the phase. */
  readonly message?: string;
  /** When each phase was reached first, ms since 1970. */
  readonly phaseStarts: Readonly<Partial<Record<TaskPhase, number>>>;
  readonly serving?: { readonly at: number; readonly ready: boolean; readonly address: string };
  readonly usage?: Omit<UsageEvent, "type">;
  readonly end?: TaskEnd & { readonly reportedAt: number };
  /** Last value of each metric. */
  readonly metrics: Readonly<Record<string, { readonly value: number; readonly at: number }>>;
  readonly parts: Readonly<Partial<Record<PartName, Blob>>>;
}

export const nothingObserved: ObservedTask = { phaseStarts: {}, metrics: {}, parts: {} };

export const phases = ["downloading", "running", "uploading", "exited"] as const satisfies readonly TaskPhase[];

/** -1 before the first. */
export const phaseRank = (phase: TaskPhase | undefined): number => (phase === undefined ? -1 : phases.indexOf(phase));

function observePhase(observed: ObservedTask, event: Extract<TaskEvent, { type: "phase" }>): ObservedTask {
  // A restarted agent may announce a phase again: phases only go forward.
  if (phaseRank(event.phase) < phaseRank(observed.phase)) return observed;
  const { message: _, ...rest } = observed;
  return {
    ...rest,
    phase: event.phase,
    ...(event.message === undefined ? {} : { message: event.message }),
    phaseStarts: { [event.phase]: event.at, ...observed.phaseStarts },
  };
}

function observeOne(observed: ObservedTask, event: TaskEvent): ObservedTask {
  switch (event.type) {
    case "phase":
      return observePhase(observed, event);
    case "serving": {
      const { at, ready, address } = event;
      return { ...observed, serving: { at, ready, address } };
    }
    case "usage": {
      const { type: _, ...usage } = event;
      return { ...observed, usage };
    }
    case "end":
      // The first end is the truth: what ended cannot end otherwise.
      return observed.end ? observed : { ...observed, end: { ...event.end, reportedAt: event.at } };
    case "output":
    case "models":
      return observed;
  }
}

/** Folds the events of one report, in order. Each report must be folded once: its sequence number says so. */
export const observe = (
  observed: ObservedTask,
  events: readonly TaskEvent[],
  metrics: readonly MetricPoint[] = [],
): ObservedTask => ({
  ...events.reduce(observeOne, observed),
  metrics: {
    ...observed.metrics,
    ...Object.fromEntries(metrics.map(({ name, value, at }) => [name, { value, at }])),
  },
});

/** True for what a reconciler decides by; lines and usage can wait. */
export const isNews = (event: TaskEvent): boolean =>
  event.type === "phase" || event.type === "serving" || event.type === "end";
