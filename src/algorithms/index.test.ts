import { expect, test } from "vitest";
import { findAlgorithm } from "./index.ts";

test("an image means an algorithm by its repository's name, whatever account, region and tag", () => {
  for (const image of [
    "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1",
    "382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:latest",
    "localhost:5000/kmeans",
    "kmeans@sha256:00",
  ]) {
    expect(findAlgorithm(image)?.name).toBe("kmeans");
  }
  expect(findAlgorithm("1.dkr.ecr.us-west-2.amazonaws.com/my-kmeans:1")).toBeUndefined();
  expect(findAlgorithm("")).toBeUndefined();
});

test("the metric's regex finds the value in the line that training prints", () => {
  const [msd] = findAlgorithm("kmeans")?.metrics ?? [];
  const line = "[2026-01-01T00:00:00.000Z INFO algo-1] #quality_metric: host=algo-1, test msd <loss>=39.5";
  expect(msd?.Name).toBe("test:msd");
  expect(new RegExp(msd?.Regex ?? "").exec(line)?.[1]).toBe("39.5");
});
