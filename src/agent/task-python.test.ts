import { expect, test } from "vitest";
import { systemClock } from "../lib/clock.ts";
import type { PythonNeeds, PythonRelease } from "../task/task.ts";
import { StageError } from "./planned-path.ts";
import { taskPython } from "./task-python.ts";

const needs = (releases: readonly PythonRelease[]): PythonNeeds => ({ name: "scikit-learn", releases, asked: "1.2-1" });
const anywhere: PythonRelease = { version: "1.2.2", packages: [], pythons: ["3.0", "3.99"] };
const options = { clock: systemClock, environment: {}, signal: new AbortController().signal, tell: () => {} };

test("a machine that gives its jobs no /opt/ml of their own is told so", async () => {
  const made = taskPython(needs([anywhere]), { environments: "/environments" }, options);
  await expect(made).rejects.toThrow(StageError);
  await expect(made).rejects.toThrow("needs an /opt/ml of its own");
});

test("what has no release here is told", async () => {
  const made = taskPython(needs([]), { bwrap: "/usr/bin/bwrap", environments: "/environments" }, options);
  await expect(made).rejects.toThrow(StageError);
  await expect(made).rejects.toThrow("There is no release for scikit-learn 1.2-1");
});
