import { expect, test } from "vitest";
import { problemOf } from "./check-rooms.ts";

test("a room may import what its line allows", () => {
  expect(problemOf({ from: "engine/engine.ts", to: "database/leases.ts" })).toBeUndefined();
});

test("an algorithm may not reach server code", () => {
  expect(problemOf({ from: "algorithms/kmeans/train.ts", to: "database/store.ts" })).toMatch(/may not import database/);
});

test("the insides of a dialect stay private, but not to the composition root and tests", () => {
  const to = "database/sqlite/sqlite-store.ts";
  expect(problemOf({ from: "engine/engine.ts", to })).toMatch(/private/);
  expect(problemOf({ from: "salvia.ts", to })).toBeUndefined();
  expect(problemOf({ from: "engine/engine.test.ts", to })).toBeUndefined();
});

test("a service reaches another only through its front door", () => {
  expect(problemOf({ from: "services/sagemaker/index.ts", to: "services/s3/index.ts" })).toBeUndefined();
  expect(problemOf({ from: "services/sagemaker/index.ts", to: "services/s3/put-object.ts" })).toMatch(/index.ts/);
  expect(problemOf({ from: "services/sagemaker/index.ts", to: "services/service.ts" })).toBeUndefined();
});
