import { expect, test } from "vitest";
import type { TaskSpec } from "../task/task.ts";
import { taskSpecFake } from "../task/task.fake.ts";
import type { ComputeBackend } from "./backend.ts";
import { withVolumeCap } from "./volume-cap.ts";

function backendWith(started: TaskSpec[]): ComputeBackend {
  const backend: ComputeBackend = {
    name: "none",
    features: new Set(["images"]),
    start: async (task) => void started.push(task),
    hasImage: async () => false,
    inspect: async () => undefined,
    stop: async () => {},
    remove: async () => {},
    list: async function* () {
      yield "one";
    },
  };
  return backend;
}

test("no task gets more than the cap, and those that name no volume get it", async () => {
  const started: TaskSpec[] = [];
  const capped = withVolumeCap(backendWith(started), 100);
  for (const diskBytes of [50, 200]) await capped.start({ ...taskSpecFake, diskBytes });
  await capped.start(taskSpecFake);
  expect(started.map(({ diskBytes }) => diskBytes)).toEqual([50, 100, 100]);
  expect(await Array.fromAsync(capped.list())).toEqual(["one"]);
  expect(capped.features.has("images")).toBe(true);
});

test("without a cap the backend is what it was", () => {
  const backend = backendWith([]);
  expect(withVolumeCap(backend, undefined)).toBe(backend);
});
