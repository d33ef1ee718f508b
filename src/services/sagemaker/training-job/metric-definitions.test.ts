// A job of one's own with MetricDefinitions, from its request to Describe, Search and CloudWatch.
import { expect, test } from "vitest";
import { seconds } from "../../../lib/clock.ts";
import type { TaskEvent } from "../../../task/report.ts";
import { fakeSagemaker, kmeansJob, runsThrough, type FakeSagemaker } from "../sagemaker.fake.ts";

const scikit = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3";
const MetricDefinitions = [
  { Name: "train:loss", Regex: "loss=([0-9.]+)" },
  { Name: "validation:auc", Regex: "#011validation-auc:(\\S+)" },
];
const job = (definitions = MetricDefinitions, instances = 1) => ({
  ...kmeansJob("job", instances),
  AlgorithmSpecification: {
    TrainingImage: scikit,
    TrainingInputMode: "File" as const,
    ContainerEntrypoint: ["sh"],
    MetricDefinitions: definitions,
  },
});

async function launched(instances = 1): Promise<{ readonly world: FakeSagemaker; readonly keys: readonly string[] }> {
  const world = await fakeSagemaker();
  await world.putObject("data/a.csv", "1");
  await world.call("CreateTrainingJob", job(MetricDefinitions, instances));
  await world.settle();
  return { world, keys: [...world.tasks.running.keys()].sort() };
}

const output = (at: number, ...texts: readonly string[]): TaskEvent => ({
  type: "output",
  lines: texts.map((text) => ({ at, text })),
});

const describeJob = (world: FakeSagemaker) => world.call("DescribeTrainingJob", { TrainingJobName: "job" });

test("definitions are given back, their values go to CloudWatch, and the last of each with its time to Describe", async () => {
  const { world, keys } = await launched(2);
  const start = world.clock.now().getTime();
  expect((await describeJob(world)).AlgorithmSpecification?.MetricDefinitions).toEqual(MetricDefinitions);
  const [first = "", second = ""] = keys;
  await world.agent(first).report([output(start + 1_000, "loss=0.5", "[0]\ttrain-auc:0.9\tvalidation-auc:0.75")], 1);
  await world.agent(second).report([output(start + 3_000, "loss=0.125")], 1);
  await world.agent(first).report([output(start + 2_000, "loss=0.25")], 2);
  const shared = {
    namespace: "/aws/sagemaker/TrainingJobs",
    dimensions: { TrainingJobName: "job" },
    unit: "None",
  };
  expect(world.metrics).toEqual([
    { ...shared, name: "train:loss", value: 0.5, timestamp: start + 1_000 },
    { ...shared, name: "validation:auc", value: 0.75, timestamp: start + 1_000 },
    { ...shared, name: "train:loss", value: 0.125, timestamp: start + 3_000 },
    { ...shared, name: "train:loss", value: 0.25, timestamp: start + 2_000 },
  ]);
  await world.agent(first).report(runsThrough(start), 3);
  await world.agent(second).report(runsThrough(start), 2);
  await world.clock.advance(seconds(10));
  await world.settle();
  expect(await describeJob(world)).toMatchObject({
    TrainingJobStatus: "Completed",
    FinalMetricDataList: [
      { MetricName: "train:loss", Value: 0.125, Timestamp: new Date(start + 3_000) },
      { MetricName: "validation:auc", Value: 0.75, Timestamp: new Date(start + 1_000) },
    ],
  });
});

test("a job is found by its final metrics", async () => {
  const { world, keys } = await launched();
  await world.agent(keys[0] ?? "").report([output(1, "loss=0.25"), ...runsThrough(0)]);
  await world.settle();
  const count = async (Name: string, Operator: "LessThan" | "Equals", Value: string): Promise<number | undefined> => {
    const SearchExpression = { Filters: [{ Name, Operator, Value }] };
    return (await world.call("Search", { Resource: "TrainingJob", SearchExpression })).Results?.length;
  };
  expect(await count("Metrics.train:loss", "LessThan", "0.3")).toBe(1);
  expect(await count("Metrics.train:loss", "LessThan", "0.2")).toBe(0);
  expect(await count("FinalMetricDataList.MetricName", "Equals", "train:loss")).toBe(1);
});

test("a report that comes again stores no value twice", async () => {
  const { world, keys } = await launched();
  const agent = world.agent(keys[0] ?? "");
  await Promise.all([agent.report([output(1, "loss=1")], 1), agent.report([output(1, "loss=1")], 1)]);
  await agent.report([output(1, "loss=1")], 1);
  await agent.report([output(9, "loss=3")], 3);
  expect(world.metrics.map(({ value }) => value)).toEqual([1]);
});

test("of a report with more values than are stored, Describe still shows the last", async () => {
  const { world, keys } = await launched();
  const texts = Array.from({ length: 10_001 }, (_, at) => `loss=${at}\tvalidation-auc:${at}`);
  await world.agent(keys[0] ?? "").report([output(1, ...texts), ...runsThrough(0)]);
  await world.settle();
  expect(world.metrics.filter(({ name }) => name === "train:loss")).toHaveLength(5_000);
  expect(world.metrics).toHaveLength(10_000);
  expect((await describeJob(world)).FinalMetricDataList?.map(({ Value }) => Value)).toEqual([10_000, 10_000]);
});

test("a pattern that RE2 cannot take is refused before anything is stored", async () => {
  const world = await fakeSagemaker();
  const bad = job([...MetricDefinitions, { Name: "f1", Regex: "(?<=f1=)(.*)" }]);
  await expect(world.call("CreateTrainingJob", bad)).rejects.toMatchObject({
    code: "ValidationException",
    message: expect.stringContaining('The regular expression "(?<=f1=)(.*)" of the metric definition "f1"') as string,
  });
  expect((await world.call("ListTrainingJobs", {})).TrainingJobSummaries).toEqual([]);
});
