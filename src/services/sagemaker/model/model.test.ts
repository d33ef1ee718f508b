import { expect, test } from "vitest";
import type { SagemakerOperations } from "../../../models/generated/sagemaker.ts";
import { account, fakeSagemaker, kmeansImage, roleArn, type FakeSagemaker } from "../sagemaker.fake.ts";

type Input = SagemakerOperations["CreateModel"]["input"];
const arn = "arn:aws:sagemaker:us-west-2:000000000000:model/digits";
const container = { Image: kmeansImage, ModelDataUrl: "s3://bucket/model.tar.gz" };

const several = {
  Image: "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
  Mode: "MultiModel" as const,
  ModelDataUrl: "s3://bucket/models/",
};

const aModel = (over: Partial<Input> = {}): Input => ({
  ModelName: "digits",
  ExecutionRoleArn: roleArn,
  PrimaryContainer: container,
  ...over,
});

async function setup(): Promise<FakeSagemaker> {
  const fake = await fakeSagemaker();
  await fake.putObject("model.tar.gz", "archive");
  return fake;
}

test("a model is described as it was asked for, with defaults and without what was not given", async () => {
  const fake = await setup();
  expect(await fake.call("CreateModel", aModel({ Tags: [{ Key: "a", Value: "b" }] }))).toEqual({ ModelArn: arn });
  expect(await fake.call("DescribeModel", { ModelName: "digits" })).toEqual({
    ModelName: "digits",
    ModelArn: arn,
    ExecutionRoleArn: roleArn,
    PrimaryContainer: { Mode: "SingleModel", ...container },
    EnableNetworkIsolation: false,
    CreationTime: fake.clock.now(),
  });
  expect(await fake.call("ListTags", { ResourceArn: arn })).toEqual({ Tags: [{ Key: "a", Value: "b" }] });
});

test("a name is taken once, and free again after the model was deleted", async () => {
  const fake = await setup();
  await fake.call("CreateModel", aModel());
  await expect(fake.call("CreateModel", aModel())).rejects.toMatchObject({
    code: "ValidationException",
    message: `Cannot create already existing model "${arn}".`,
  });
  await fake.call("DeleteModel", { ModelName: "digits" });
  const missing = { code: "ValidationException", message: `Could not find model "${arn}".` };
  await expect(fake.call("DescribeModel", { ModelName: "digits" })).rejects.toMatchObject(missing);
  await expect(fake.call("DeleteModel", { ModelName: "digits" })).rejects.toMatchObject(missing);
  await fake.call("CreateModel", aModel());
});

test("another account does not see it", async () => {
  const fake = await setup();
  await fake.call("CreateModel", aModel());
  await expect(fake.call("DescribeModel", { ModelName: "digits" }, "111111111111")).rejects.toThrow(
    "Could not find model",
  );
  expect((await fake.call("ListModels", {}, "111111111111")).Models).toEqual([]);
});

test.each<[string, Partial<Input>]>([
  [
    "Could not find model data at s3://bucket/nothing.",
    { PrimaryContainer: { ...container, ModelDataUrl: "s3://bucket/nothing" } },
  ],
  [
    "Could not find model data at s3://nowhere/x.",
    { PrimaryContainer: { ...container, ModelDataUrl: "s3://nowhere/x" } },
  ],
  [
    "Could not access model data at s3://foreign/x. Please ensure that the role",
    { PrimaryContainer: { ...container, ModelDataUrl: "s3://foreign/x" } },
  ],
  ["is not of the form s3://bucket/key", { PrimaryContainer: { ...container, ModelDataUrl: "https://bucket/x" } }],
  ["not both", { Containers: [container] }],
  ["must have PrimaryContainer", { PrimaryContainer: undefined }],
  ["must have an Image or a ModelPackageName", { PrimaryContainer: {} }],
  ["multi-models=true Docker label", { PrimaryContainer: { ...several, Image: container.Image } }],
  ["with a slash at its end", { PrimaryContainer: { ...several, ModelDataUrl: "s3://bucket/models" } }],
  ["with a slash at its end: it has none", { PrimaryContainer: { Mode: "MultiModel", Image: several.Image } }],
  ["MultiModelConfig can only be given", { PrimaryContainer: { ...container, MultiModelConfig: {} } }],
  ["Could not assume role", { ExecutionRoleArn: `arn:aws:iam::${account}:role/nobody` }],
  ["Cross-account pass role is not allowed.", { ExecutionRoleArn: "arn:aws:iam::111111111111:role/x" }],
])("refused: %s", async (message, over) => {
  const fake = await setup();
  await expect(fake.call("CreateModel", aModel(over))).rejects.toThrow(message);
  expect((await fake.call("ListModels", {})).Models).toEqual([]);
});

test("models that cannot run here yet are stored, and an endpoint of theirs says why it cannot be", async () => {
  const fake = await setup();
  const models: Record<string, Partial<Input>> = {
    "an inference pipeline": { PrimaryContainer: undefined, Containers: [container, container] },
    "cannot serve the image example.com/own:1": { PrimaryContainer: { ...container, Image: "example.com/own:1" } },
  };
  for (const [index, [reason, over]] of Object.entries(models).entries()) {
    const name = `model-${index}`;
    await fake.call("CreateModel", aModel({ ...over, ModelName: name }));
    const variant = {
      VariantName: "A",
      ModelName: name,
      InstanceType: "ml.m5.large",
      InitialInstanceCount: 1,
    } as const;
    await fake.call("CreateEndpointConfig", { EndpointConfigName: name, ProductionVariants: [variant] });
    await expect(fake.call("CreateEndpoint", { EndpointName: name, EndpointConfigName: name })).rejects.toThrow(reason);
  }
});

test("a multi-model container is stored, and described with its prefix and mode", async () => {
  const fake = await setup();
  const PrimaryContainer = { ...several, MultiModelConfig: { ModelCacheSetting: "Disabled" as const } };
  await fake.call("CreateModel", aModel({ PrimaryContainer, ModelName: "lines" }));
  const described = await fake.call("DescribeModel", { ModelName: "lines" });
  expect(described.PrimaryContainer).toEqual(PrimaryContainer);
});

test("models are listed newest first, by name or by part of a name, page by page", async () => {
  const fake = await setup();
  for (const name of ["b-one", "a-two", "c-one"]) {
    await fake.clock.advance(1_000);
    await fake.call("CreateModel", aModel({ ModelName: name }));
  }
  const names = async (input: SagemakerOperations["ListModels"]["input"]) =>
    (await fake.call("ListModels", input)).Models.map((model) => model.ModelName);
  expect(await names({})).toEqual(["c-one", "a-two", "b-one"]);
  expect(await names({ SortBy: "Name", SortOrder: "Ascending" })).toEqual(["a-two", "b-one", "c-one"]);
  expect(await names({ NameContains: "ONE" })).toEqual(["c-one", "b-one"]);
  const first = await fake.call("ListModels", { MaxResults: 2 });
  expect(first.NextToken).toBeDefined();
  expect(await names({ MaxResults: 2, NextToken: first.NextToken })).toEqual(["b-one"]);
});
