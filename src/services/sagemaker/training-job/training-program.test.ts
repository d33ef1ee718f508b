import { expect, onTestFinished, test } from "vitest";
import type { BackendFeature } from "../../../compute/backend.ts";
import type { FoundImage } from "../../ecr/index.ts";
import type { BuiltInAlgorithm } from "../context.ts";
import { kmeansJob } from "../sagemaker.fake.ts";
import { checkMetrics, taskProgram, type JobOfProgram, trainingProgram } from "./training-program.ts";

const kmeans: BuiltInAlgorithm = { name: "kmeans", metrics: [], checkHyperparameters: () => undefined };
const algorithms = {
  find: (image: string) => (image.includes("kmeans") ? kmeans : undefined),
  names: ["kmeans"],
};
const scikit = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3";
const inEngine: { names: readonly string[] } = { names: [] };
const hasImage = async (names: readonly string[]): Promise<boolean> =>
  names.some((name) => inEngine.names.includes(name));
const bare = { features: new Set<BackendFeature>(), hasImage };
const withImages = { features: new Set<BackendFeature>(["images"]), hasImage };
const job: JobOfProgram = { account: "000000000000", region: "us-west-2", spec: kmeansJob("a-job") };
const found: { image: FoundImage } = { image: { kind: "foreign", name: "own:1" } };
const platform = { images: { find: async () => found.image }, compute: bare, isFrameworkStrict: false };
const file = { TrainingInputMode: "File" } as const;

test("a built-in algorithm's image runs the algorithm", async () => {
  const program = trainingProgram({ ...file, TrainingImage: "kmeans:1" }, algorithms, bare);
  expect(await taskProgram(program, job, platform)).toEqual({ kind: "algorithm", name: "kmeans", command: "train" });
});

test("a framework image runs the entrypoint with its arguments, in the framework's Python environment", async () => {
  const wanted = {
    ...file,
    TrainingImage: scikit,
    ContainerEntrypoint: ["/bin/bash"],
    ContainerArguments: ["-c", "echo 'as it is'"],
  };
  const program = await taskProgram(trainingProgram(wanted, algorithms, bare), job, platform);
  expect(program).toMatchObject({
    kind: "command",
    argv: ["/bin/bash", "-c", "echo 'as it is'"],
    python: { name: "scikit-learn" },
  });
});

test("a framework image without a command runs the job's script, in the release nearest to its tag", async () => {
  const program = await taskProgram(
    trainingProgram({ ...file, TrainingImage: scikit }, algorithms, bare),
    job,
    platform,
  );
  expect(program).toMatchObject({
    kind: "script",
    command: "train",
    module: "sagemaker_sklearn_container.training:main",
    python: { name: "scikit-learn", asked: "1.2-1-cpu-py3", releases: [{ version: "1.2.1" }, {}, {}, {}] },
  });
  const strict = { ...platform, isFrameworkStrict: true };
  const exact = await taskProgram(trainingProgram({ ...file, TrainingImage: scikit }, algorithms, bare), job, strict);
  expect(exact).toMatchObject({ python: { releases: [{ version: "1.2.1" }] } });
});

test("a framework's image that somebody has pushed is a container where an engine is, and its environment elsewhere", async () => {
  const credential = { username: "AWS" as const, password: "x", server: "localhost:1" };
  const pushed: FoundImage = {
    kind: "registry",
    pullName: "localhost:1/sagemaker-scikit-learn@sha256:1",
    credential,
    digest: "sha256:1",
    mediaType: "",
    sizeBytes: 1,
    localNames: [],
  };
  const images = { find: async () => pushed };
  const wanted = trainingProgram({ ...file, TrainingImage: scikit }, algorithms, withImages);
  expect(await taskProgram(wanted, job, { ...platform, images, compute: withImages })).toMatchObject({
    kind: "image",
    arguments: ["train"],
    pull: { credential },
  });
  expect(await taskProgram(wanted, job, { ...platform, images })).toMatchObject({ kind: "script" });
  expect(await taskProgram(wanted, job, { ...platform, compute: withImages })).toMatchObject({ kind: "script" });
});

test("a framework's image that is in the engine is a container, and its environment where there is no engine", async () => {
  inEngine.names = [scikit, "sagemaker-scikit-learn:1.2-1-cpu-py3"];
  onTestFinished(() => void (inEngine.names = []));
  const wanted = trainingProgram({ ...file, TrainingImage: scikit }, algorithms, withImages);
  const local = { kind: "local", localNames: ["sagemaker-scikit-learn:1.2-1-cpu-py3"], problem: "not pushed" } as const;
  for (const image of [local, { kind: "foreign", name: scikit } as const]) {
    const here = { ...platform, images: { find: async () => image } };
    const container = await taskProgram(wanted, job, { ...here, compute: withImages });
    expect(container).toMatchObject({ kind: "image", arguments: ["train"] });
    expect(await taskProgram(wanted, job, here)).toMatchObject({ kind: "script" });
  }
});

test.each([
  ["no image", { ...file }, "TrainingImage is missing"],
  [
    "an unknown image",
    { ...file, TrainingImage: "own:1", ContainerEntrypoint: ["sh"] },
    "cannot run the training image own:1",
  ],
  [
    "a framework image with arguments alone",
    { ...file, TrainingImage: scikit, ContainerArguments: ["x"] },
    "with ContainerArguments and without ContainerEntrypoint",
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
  expect(() => trainingProgram(wanted, algorithms, bare)).toThrow(message);
});

test("nobody overrides a built-in algorithm's metrics; those of scripts and images are taken if RE2 takes them", async () => {
  const MetricDefinitions = [{ Name: "loss", Regex: "loss=(.*)" }];
  const own = { ...file, TrainingImage: "kmeans:1", MetricDefinitions };
  await expect(checkMetrics(own, { kind: "algorithm", algorithm: kmeans })).rejects.toThrow("can't override");
  await checkMetrics({ ...own, MetricDefinitions: [] }, { kind: "algorithm", algorithm: kmeans });
  await checkMetrics(file, { kind: "algorithm", algorithm: kmeans });
  const script = { ...file, TrainingImage: scikit, ContainerEntrypoint: ["sh"], MetricDefinitions };
  for (const program of [trainingProgram(script, algorithms, bare), { kind: "image", image: "own:1" } as const]) {
    await checkMetrics(script, program);
    const bad = { ...script, MetricDefinitions: [...MetricDefinitions, { Name: "auc", Regex: "(?!x)(.*)" }] };
    await expect(checkMetrics(bad, program)).rejects.toThrow('of the metric definition "auc" cannot be used');
  }
});

const programFor = async (wanted: object) => {
  const request = { ...file, TrainingImage: "own:1", ...wanted };
  const spec = { ...job.spec, AlgorithmSpecification: request };
  return taskProgram(trainingProgram(request, algorithms, withImages), { ...job, spec }, platform);
};

test("any other image runs as a container where there is an engine: with train, or with the job's own command", async () => {
  found.image = { kind: "foreign", name: "own:1" };
  expect(await programFor({})).toMatchObject({
    kind: "image",
    localNames: ["own:1"],
    pull: { name: "own:1" },
    arguments: ["train"],
    limits: { instanceType: "ml.c4.xlarge", cpus: 4 },
  });
  const command = await programFor({ ContainerEntrypoint: ["sh", "-c"], ContainerArguments: ["ls"] });
  expect(command).toMatchObject({ entrypoint: ["sh", "-c"], arguments: ["ls"] });
  expect(await programFor({ ContainerEntrypoint: ["run"] })).toMatchObject({ entrypoint: ["run"], arguments: [] });
});

test("an image of a registry is the pushed one; one that is not pushed is looked for in the engine alone", async () => {
  const credential = { username: "AWS", password: "secret", server: "localhost:1" } as const;
  const pullName = "localhost:1/own@sha256:0";
  const about = { digest: "sha256:0", mediaType: "m", sizeBytes: 1, localNames: ["own:1"] };
  found.image = { kind: "registry", pullName, credential, ...about };
  expect(await programFor({})).toMatchObject({ localNames: [pullName], pull: { name: pullName, credential } });
  found.image = { kind: "local", localNames: ["own:1", "x/own:1"], problem: "not pushed" };
  const local = await programFor({});
  expect(local).toMatchObject({ localNames: ["own:1", "x/own:1"] });
  expect(local).not.toHaveProperty("pull");
});

test("an image that the role may not pull is refused in AWS's words", async () => {
  found.image = { kind: "denied", problem: "is not authorized to perform: ecr:BatchGetImage" };
  await expect(programFor({})).rejects.toThrow("ecr:BatchGetImage");
});
