// Tasks that only exist: what they do is said by the test. Events reach the callback as an agent's reports would.
import type { TaskEnd, TaskEvent } from "../../task/report.ts";
import type { TaskSpec } from "../../task/task.ts";
import type { ComputeBackend } from "../backend.ts";

export interface FakeBackend extends ComputeBackend {
  /** Thrown by the next `start`, once: before the task exists, or, like a lost answer, after. */
  failNext: { readonly error: Error; readonly afterStart: boolean } | undefined;
  /** How often a task really began, by key. */
  readonly starts: ReadonlyMap<string, number>;
  /** Grace of each stop that was asked for. */
  readonly stops: ReadonlyMap<string, number>;
  /** Throws when the task does not exist. */
  spec(key: string): TaskSpec;
  report(key: string, events: readonly TaskEvent[]): Promise<void>;
  /** Reports the end; the task stays, ended, until it is removed. */
  finish(key: string, end: TaskEnd): Promise<void>;
  /** The task is gone without a word. */
  lose(key: string): void;
}

export type Deliver = (task: TaskSpec, events: readonly TaskEvent[]) => Promise<void> | void;

interface FakeTask {
  readonly spec: TaskSpec;
  hasEnded: boolean;
}

export function createFakeBackend(deliver: Deliver = () => undefined): FakeBackend {
  const tasks = new Map<string, FakeTask>();
  const starts = new Map<string, number>();
  const stops = new Map<string, number>();
  const find = (key: string): FakeTask => {
    const task = tasks.get(key);
    if (!task) throw new Error(`there is no task ${key}`);
    return task;
  };
  const fake: FakeBackend = {
    name: "fake",
    features: new Set(["multi-instance", "network-isolation"] as const),
    failNext: undefined,
    starts,
    stops,
    start: async (spec) => {
      const failure = fake.failNext;
      fake.failNext = undefined;
      if (failure && !failure.afterStart) throw failure.error;
      if (!tasks.has(spec.key)) {
        tasks.set(spec.key, { spec, hasEnded: false });
        starts.set(spec.key, (starts.get(spec.key) ?? 0) + 1);
      }
      if (failure) throw failure.error;
    },
    hasImage: async () => false,
    inspect: async (key) => {
      const task = tasks.get(key);
      return task && { state: task.hasEnded ? "ended" : "alive" };
    },
    stop: async (key, graceSeconds) => {
      const task = tasks.get(key);
      if (!task || task.hasEnded) return;
      stops.set(key, graceSeconds);
      await fake.finish(key, { how: "stopped" });
    },
    remove: async (key) => {
      tasks.delete(key);
    },
    list: async function* () {
      yield* tasks.keys();
    },
    spec: (key) => find(key).spec,
    report: async (key, events) => deliver(find(key).spec, events),
    finish: async (key, end) => {
      const task = find(key);
      task.hasEnded = true;
      await deliver(task.spec, [{ type: "end", at: end.endedAt ?? 0, end }]);
    },
    lose: (key) => {
      tasks.delete(key);
    },
  };
  return fake;
}
