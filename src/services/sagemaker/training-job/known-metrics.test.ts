import { expect, test } from "vitest";
import { frameworks } from "../../../compute/frameworks/frameworks.ts";
import { silentLog } from "../../../lib/log.ts";
import { FakeClock } from "../../../lib/clock.fake.ts";
import { knownMetrics } from "./known-metrics.ts";
import { checkMetricDefinitions, metricsInLines } from "./log-metrics.ts";

const xgboost = knownMetrics("246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1");

test("XGBoost's evaluation lines give train and validation metrics without being asked", async () => {
  await checkMetricDefinitions(xgboost);
  const text = "[2026-01-01:10:00:00:INFO] [19]\ttrain-rmse:1.25e-1\tvalidation-rmse:2.5\tvalidation-mae:3";
  const found = await metricsInLines(xgboost, [{ at: 1, text }], new FakeClock(), silentLog);
  expect(Object.fromEntries(found.map(({ name, value }) => [name, value]))).toEqual({
    "train:rmse": 0.125,
    "validation:mae": 3,
    "validation:rmse": 2.5,
  });
});

test("images are known by their repository alone", () => {
  expect(knownMetrics("433757028032.dkr.ecr.us-west-2.amazonaws.com/xgboost:1")).toEqual(xgboost);
  expect(xgboost.length).toBeGreaterThan(0);
  expect(knownMetrics("mine/my-xgboost:1")).toEqual([]);
  expect(knownMetrics("constructor")).toEqual([]);
});

test("the other framework images have none: what a script prints is known to its job alone", () => {
  const others = frameworks.filter(({ name }) => name !== "xgboost").flatMap(({ images }) => images);
  expect(others.length).toBeGreaterThan(5);
  for (const name of others)
    expect(knownMetrics(`763104351884.dkr.ecr.us-west-2.amazonaws.com/${name}:2.6.0`)).toEqual([]);
});

test("a pattern is as AWS shows it", () => {
  expect(xgboost.find(({ Name }) => Name === "train:mae")?.Regex).toBe(
    String.raw`.*\[[0-9]+\].*#011train-mae:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*`,
  );
});
