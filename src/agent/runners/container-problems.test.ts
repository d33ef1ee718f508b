import { expect, test } from "vitest";
import type { ImageProgram, TaskSpec } from "../../task/task.ts";
import { cannotPull, cannotStart } from "./container-problems.ts";

const program: ImageProgram = {
  kind: "image",
  image: "own:1",
  localNames: ["own:1"],
  arguments: ["train"],
  limits: { instanceType: "ml.m5.large", gpus: 0, neuronDevices: 0 },
};
const task = (purpose: TaskSpec["purpose"], more: Partial<TaskSpec> = {}) => ({ purpose, program, ...more });

test("an image that is not there is told in the words of the kind of job", () => {
  expect(cannotPull(task("training"), "why")).toBe(
    "Cannot pull algorithm container. Either the image does not exist or its permissions are incorrect. (own:1: why)",
  );
  expect(cannotPull(task("processing"), "why")).toBe(
    "API error (404): manifest for own:1 not found: manifest unknown: Requested image not found (why)",
  );
  expect(cannotPull(task("hosting", { variant: "AllTraffic" }), "why")).toBe(
    "Please make sure all images included in the model for the production variant AllTraffic exist, and that the execution role used to create the model has permissions to access them. (own:1: why)",
  );
  expect(cannotPull(task("transform"), "why")).toMatch(/^Please make sure all images included in the model exist, and/);
});

test("a program that cannot be started is told with the command that tries it", () => {
  expect(cannotStart(task("training"), "why")).toBe(
    "CannotStartContainerError. Please make sure the container can be run with 'docker run own:1 train'. why",
  );
  const serving = { ...program, arguments: ["serve"] };
  expect(cannotStart(task("hosting", { program: serving, variant: "B" }), "why")).toBe(
    "CannotStartContainerError. Please ensure the model container for variant B starts correctly when invoked with 'docker run own:1 serve'. why",
  );
  const own = { ...program, entrypoint: ["/bin/x", "-v"], arguments: ["in"] };
  expect(cannotStart(task("processing", { program: own }), "why")).toContain(
    "'docker run --entrypoint /bin/x own:1 -v in'",
  );
  const command = { kind: "command", argv: ["/no/such", "1"] } as const;
  expect(cannotStart(task("processing", { program: command }), "")).toContain("--entrypoint /no/such <image> 1'");
  const script = { kind: "script", command: "serve", python: { name: "x", releases: [] }, module: "x" } as const;
  expect(cannotStart(task("transform", { program: script }), "")).toContain("the model container starts correctly");
});
