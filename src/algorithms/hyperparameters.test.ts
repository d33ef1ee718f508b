import { expect, test } from "vitest";
import { ClientError } from "./client-error.ts";
import { boolean, checkedValues, choice, integer, integerOrAuto, jsonList, real } from "./hyperparameters.ts";

const declarations = {
  k: integer({ min: 1 }),
  epochs: integer({ min: 1, max: 10, fallback: 1 }),
  tolerance: real({ min: 0, fallback: 0.5 }),
  method: choice("random", "kmeans++"),
  factor: integerOrAuto({ min: 1 }),
  metrics: jsonList(["msd", "ssd"], ["msd"]),
  dense: boolean(false),
};

test("what is not given falls back", () => {
  expect(checkedValues(declarations, { k: "3" })).toEqual({
    k: 3,
    epochs: 1,
    tolerance: 0.5,
    method: "random",
    factor: "auto",
    metrics: ["msd"],
    dense: false,
  });
});

test("the spellings of the clients are read", () => {
  const given = {
    k: "10.0",
    tolerance: "1e-4",
    method: "kmeans++",
    factor: "7",
    metrics: '["ssd", "msd"]',
    dense: "True",
  };
  expect(checkedValues(declarations, { ...given, epochs: "2", _tuning_objective_metric: "test:msd" })).toEqual({
    k: 10,
    epochs: 2,
    tolerance: 0.0001,
    method: "kmeans++",
    factor: 7,
    metrics: ["ssd", "msd"],
    dense: true,
  });
});

test("one error names everything that is missing, unknown or bad", () => {
  const given = {
    epochs: "11",
    tolerance: "x",
    method: "best",
    factor: "0",
    metrics: '["mse"]',
    dense: "maybe",
    K: "3",
  };
  expect(() => checkedValues(declarations, given)).toThrow(
    new ClientError(
      "Invalid hyperparameters: 'k' is a required property; epochs: '11' is greater than the maximum of 10; " +
        "tolerance: 'x' is not of type 'number'; method: 'best' is not one of ['random', 'kmeans++']; " +
        "factor: '0' is less than the minimum of 1; metrics: '[\"mse\"]' is not a JSON list of ['msd', 'ssd']; " +
        "dense: 'maybe' is not of type 'boolean'; Additional properties are not allowed ('K' was unexpected) " +
        "(caused by ValidationError)",
    ),
  );
});

test("a hyperparameter named like a property of every object is unknown all the same", () => {
  expect(() => checkedValues(declarations, { k: "1", toString: "1" })).toThrow("'toString' was unexpected");
});
