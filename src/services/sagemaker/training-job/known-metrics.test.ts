import { expect, test } from "vitest";
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
