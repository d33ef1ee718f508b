import { expect, test } from "vitest";
import type { BuiltInAlgorithm } from "../context.ts";
import { checkMetrics, taskProgram, trainingProgram } from "./training-program.ts";

const kmeans: BuiltInAlgorithm = { name: "kmeans", metrics: [], checkHyperparameters: () => undefined };
const algorithms = {
  find: (image: string) => (image.includes("kmeans") ? kmeans : undefined),
  names: ["kmeans"],
};
const scikit = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3";
const file = { TrainingInputMode: "File" } as const;

test("a built-in algorithm's image runs the algorithm", () => {
  const program = trainingProgram({ ...file, TrainingImage: "kmeans:1" }, algorithms);
  expect(taskProgram(program)).toEqual({ kind: "algorithm", name: "kmeans", command: "train" });
});

test("a framework image runs the entrypoint with its arguments, in the framework's Python environment", () => {
  const wanted = {
    ...file,
    TrainingImage: scikit,
    ContainerEntrypoint: ["/bin/bash"],
    ContainerArguments: ["-c", "echo 'as it is'"],
  };
  const program = taskProgram(trainingProgram(wanted, algorithms));
  expect(program).toMatchObject({
    kind: "command",
    argv: ["/bin/bash", "-c", "echo 'as it is'"],
    python: { name: "scikit-learn" },
  });
});

test.each([
  ["no image", { ...file }, "TrainingImage is missing"],
  [
    "an unknown image",
    { ...file, TrainingImage: "own:1", ContainerEntrypoint: ["sh"] },
    "cannot run the training image own:1",
  ],
  [
    "a framework image without entrypoint",
    { ...file, TrainingImage: scikit },
    "without AlgorithmSpecification.ContainerEntrypoint",
  ],
  [
    "an entrypoint for k-means",
    { ...file, TrainingImage: "kmeans:1", ContainerEntrypoint: ["sh"] },
    "ContainerEntrypoint with a built-in",
  ],
  [
    "arguments for k-means",
    { ...file, TrainingImage: "kmeans:1", ContainerArguments: ["x"] },
    "ContainerArguments with a built-in",
  ],
])("%s is refused in words", (_name, wanted, message) => {
  expect(() => trainingProgram(wanted, algorithms)).toThrow(message);
});

test("nobody overrides a built-in algorithm's metrics, and those of scripts are not there yet", () => {
  const MetricDefinitions = [{ Name: "loss", Regex: "loss=(.*)" }];
  const own = { ...file, TrainingImage: "kmeans:1", MetricDefinitions };
  expect(() => checkMetrics(own, { kind: "algorithm", algorithm: kmeans })).toThrow("can't override");
  const script = { ...file, TrainingImage: scikit, ContainerEntrypoint: ["sh"], MetricDefinitions };
  expect(() => checkMetrics(script, trainingProgram(script, algorithms))).toThrow("is not implemented by Salvia yet");
  expect(() => checkMetrics(file, { kind: "algorithm", algorithm: kmeans })).not.toThrow();
});
