import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Filter, SearchExpression, SearchRequest } from "../../../models/generated/sagemaker.ts";
import { seconds } from "../../../lib/clock.ts";
import { fakeSagemaker, kmeansJob, runsThrough, type FakeSagemaker } from "../sagemaker.fake.ts";
import { compare, matches } from "./search-expression.ts";

/** Three jobs a second apart: "one" (k=5) has completed with a metric, "two" (k=10) and "three" (k=20) wait. */
async function threeJobs(): Promise<FakeSagemaker> {
  const world = await fakeSagemaker({ jobs: 1 });
  await world.putObject("data/a", "a");
  const ks = { one: "5", two: "10", three: "20" };
  for (const [name, k] of Object.entries(ks)) {
    await world.call("CreateTrainingJob", {
      ...kmeansJob(name, 1),
      HyperParameters: { k, feature_dim: "784" },
      Tags: [{ Key: "team", Value: name === "one" ? "a" : "b" }],
    });
    await world.settle();
    await world.clock.advance(seconds(1));
  }
  for (const key of world.tasks.running.keys()) await world.agent(key).report(runsThrough(0));
  await world.settle();
  return world;
}

async function names(world: FakeSagemaker, request: Omit<SearchRequest, "Resource">): Promise<string[]> {
  const { Results = [] } = await world.call("Search", { Resource: "TrainingJob", ...request });
  return Results.map((record) => record.TrainingJob?.TrainingJobName ?? "");
}

const found = (world: FakeSagemaker, expression: SearchExpression): Promise<string[]> =>
  names(world, { SearchExpression: expression, SortBy: "CreationTime", SortOrder: "Ascending" });

const cases: readonly (readonly [Filter, readonly string[]])[] = [
  [{ Name: "TrainingJobName", Operator: "Equals", Value: "two" }, ["two"]],
  [{ Name: "TrainingJobName", Operator: "NotEquals", Value: "two" }, ["one", "three"]],
  [{ Name: "TrainingJobName", Operator: "Contains", Value: "t" }, ["two", "three"]],
  [{ Name: "TrainingJobName", Operator: "In", Value: "one,three" }, ["one", "three"]],
  [{ Name: "HyperParameters.k", Operator: "GreaterThan", Value: "9" }, ["two", "three"]],
  [{ Name: "HyperParameters.k", Operator: "LessThanOrEqualTo", Value: "10" }, ["one", "two"]],
  [{ Name: "Tags.team", Operator: "Equals", Value: "b" }, ["two", "three"]],
  [{ Name: "Tags.owner", Operator: "NotExists" }, ["one", "two", "three"]],
  [{ Name: "Metrics.test:msd", Operator: "LessThan", Value: "7" }, ["one"]],
  [{ Name: "Metrics.test:msd", Operator: "Exists" }, ["one"]],
  [
    {
      Name: "ModelArtifacts.S3ModelArtifacts",
      Operator: "Equals",
      Value: "s3://bucket/output/one/output/model.tar.gz",
    },
    ["one"],
  ],
  [{ Name: "TrainingJobStatus", Operator: "Equals", Value: "InProgress" }, ["two", "three"]],
  [{ Name: "CreationTime", Operator: "GreaterThan", Value: "2026-01-01T00:00:00Z" }, ["two", "three"]],
  [{ Name: "ResourceConfig.InstanceCount", Value: "1" }, ["one", "two", "three"]],
  [{ Name: "InputDataConfig.ChannelName", Operator: "Equals", Value: "train" }, ["one", "two", "three"]],
  [{ Name: "__proto__.constructor", Operator: "Exists" }, []],
];

test("each operator finds what it should, on any path", async () => {
  const world = await threeJobs();
  for (const [filter, expected] of cases)
    expect([filter, await found(world, { Filters: [filter] })]).toEqual([filter, expected]);
});

test("filters and sub-expressions are joined by And, or by Or where asked", async () => {
  const world = await threeJobs();
  const one = { Name: "TrainingJobName", Operator: "Equals", Value: "one" } as const;
  const big = { Name: "HyperParameters.k", Operator: "GreaterThan", Value: "15" } as const;
  expect(await found(world, { Filters: [one, big] })).toEqual([]);
  expect(await found(world, { Filters: [one, big], Operator: "Or" })).toEqual(["one", "three"]);
  expect(await found(world, { Filters: [one], SubExpressions: [{ Filters: [big] }], Operator: "Or" })).toEqual([
    "one",
    "three",
  ]);
  expect(await found(world, {})).toEqual(["one", "two", "three"]);
});

test("nested filters must hold for one and the same entry", async () => {
  const world = await threeJobs();
  const nested = (name: string, mode: string): SearchExpression => ({
    NestedFilters: [
      {
        NestedPropertyName: "InputDataConfig",
        Filters: [
          { Name: "InputDataConfig.ChannelName", Operator: "Equals", Value: name },
          { Name: "InputDataConfig.CompressionType", Operator: "Equals", Value: mode },
        ],
      },
    ],
  });
  expect(await found(world, nested("train", "None"))).toEqual(["one", "two", "three"]);
  expect(await found(world, nested("train", "Gzip"))).toEqual([]);
});

test("results are sorted by any property, numbers as numbers, and what lacks it is left out", async () => {
  const world = await threeJobs();
  expect(await names(world, { SortBy: "TrainingJobName", SortOrder: "Ascending" })).toEqual(["one", "three", "two"]);
  expect(await names(world, { SortBy: "Metrics.test:msd" })).toEqual(["one"]);
});

test("pages hold every hit once, whatever the order", async () => {
  const world = await threeJobs();
  for (const SortBy of ["CreationTime", "HyperParameters.feature_dim", "TrainingJobName"]) {
    const seen: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await world.call("Search", { Resource: "TrainingJob", SortBy, MaxResults: 1, NextToken });
      seen.push(...(page.Results ?? []).map((record) => record.TrainingJob?.TrainingJobName ?? ""));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    expect(seen.sort()).toEqual(["one", "three", "two"]);
  }
});

test("a token of another query is refused", async () => {
  const world = await threeJobs();
  const { NextToken } = await world.call("Search", { Resource: "TrainingJob", MaxResults: 1 });
  await expect(
    world.call("Search", { Resource: "TrainingJob", MaxResults: 1, SortBy: "CreationTime", NextToken }),
  ).rejects.toThrow("Invalid NextToken");
  await expect(world.call("Search", { Resource: "TrainingJob", NextToken: "nonsense" })).rejects.toThrow(
    "Invalid NextToken",
  );
});

test("tags come with the records", async () => {
  const world = await threeJobs();
  const { Results } = await world.call("Search", { Resource: "TrainingJob", SortBy: "CreationTime", MaxResults: 1 });
  expect(Results?.[0]?.TrainingJob).toMatchObject({ TrainingJobName: "three", Tags: [{ Key: "team", Value: "b" }] });
});

test("a value equals itself and nothing it is greater than", () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      (a, b) => {
        expect((compare(a, String(a)) ?? Number.NaN) + 0).toBe(0); // -0 + 0 is 0
        expect(Math.sign(compare(a, String(b)) ?? Number.NaN) + 0).toBe(Math.sign(a - b) + 0);
      },
    ),
  );
});

test("no path on the wire makes a search throw", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (Name, Value) => {
      matches({ described: { a: [{ b: 1 }], c: null }, tags: [] }, { Filters: [{ Name, Value }] });
    }),
  );
});
