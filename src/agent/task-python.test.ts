import { expect, test } from "vitest";
import type { PythonRelease, ScriptProgram } from "../task/task.ts";
import { StageError } from "./planned-path.ts";
import { taskPython } from "./task-python.ts";

const program = (releases: readonly PythonRelease[]): ScriptProgram => ({
  kind: "script",
  command: "train",
  python: { name: "scikit-learn", releases, asked: "1.2-1" },
  module: "m",
});
const anywhere: PythonRelease = { version: "1.2.2", packages: [], pythons: ["3.0", "3.99"] };
const host = { bwrap: "/usr/bin/bwrap", environments: "/environments" };

test("a program without needs has no Python of its own", async () => {
  const kmeans = { kind: "algorithm", name: "kmeans", command: "train" } as const;
  expect(await taskPython({ program: kmeans }, {})).toBeUndefined();
});

test("why there is none is answered, for the preparation to tell", async () => {
  const nowhere = await taskPython({ program: program([anywhere]) }, { environments: "/environments" });
  expect(nowhere).toBeInstanceOf(StageError);
  expect(nowhere).toMatchObject({ message: expect.stringContaining("needs an /opt/ml of its own") });
  const none = await taskPython({ program: program([]) }, host);
  expect(none).toBeInstanceOf(StageError);
  expect(none).toMatchObject({ message: expect.stringContaining("There is no release for scikit-learn 1.2-1") });
});
