import { expect, test } from "vitest";
import type { SagemakerOperations } from "../../../models/generated/sagemaker.ts";
import { fakeSagemaker, kmeansImage, type FakeSagemaker } from "../sagemaker.fake.ts";

type Input = SagemakerOperations["CreateEndpointConfig"]["input"];
type Variant = Input["ProductionVariants"][number];
const arn = "arn:aws:sagemaker:us-west-2:000000000000:endpoint-config/digits";

const aVariant: Variant = {
  VariantName: "AllTraffic",
  ModelName: "digits",
  InstanceType: "ml.m5.xlarge",
  InitialInstanceCount: 1,
};

async function setup(): Promise<FakeSagemaker> {
  const fake = await fakeSagemaker();
  await fake.call("CreateModel", { ModelName: "digits", PrimaryContainer: { Image: kmeansImage } });
  return fake;
}

const create = (fake: FakeSagemaker, variant: Partial<Variant> = {}, over: Partial<Input> = {}) =>
  fake.call("CreateEndpointConfig", {
    EndpointConfigName: "digits",
    ProductionVariants: [{ ...aVariant, ...variant }],
    ...over,
  });

test("a configuration is described as it was asked for, with a weight of 1", async () => {
  const fake = await setup();
  expect(await create(fake)).toEqual({ EndpointConfigArn: arn });
  expect(await fake.call("DescribeEndpointConfig", { EndpointConfigName: "digits" })).toEqual({
    EndpointConfigName: "digits",
    EndpointConfigArn: arn,
    ProductionVariants: [{ ...aVariant, InitialVariantWeight: 1 }],
    CreationTime: fake.clock.now(),
  });
  await expect(create(fake)).rejects.toThrow(`Cannot create already existing endpoint configuration "${arn}".`);
  await fake.call("DeleteEndpointConfig", { EndpointConfigName: "digits" });
  await expect(fake.call("DescribeEndpointConfig", { EndpointConfigName: "digits" })).rejects.toMatchObject({
    code: "ValidationException",
    message: `Could not find endpoint configuration "${arn}".`,
  });
});

test("a variant of a model that is not there is refused in AWS's words", async () => {
  const fake = await setup();
  await expect(create(fake, { ModelName: "nothing" })).rejects.toThrow(
    'Could not find model "arn:aws:sagemaker:us-west-2:000000000000:model/nothing".',
  );
});

test("two variants of one name are refused", async () => {
  const fake = await setup();
  await expect(create(fake, {}, { ProductionVariants: [aVariant, aVariant] })).rejects.toThrow(
    'The variant name "AllTraffic" is used more than once.',
  );
});

test.each<[string, Partial<Variant>, Partial<Input>]>([
  ["ServerlessConfig", { ServerlessConfig: { MemorySizeInMB: 1024, MaxConcurrency: 1 } }, {}],
  ["ManagedInstanceScaling", { ManagedInstanceScaling: { Status: "ENABLED" } }, {}],
  ["a variant without ModelName", { ModelName: undefined }, {}],
  ["AsyncInferenceConfig", {}, { AsyncInferenceConfig: { OutputConfig: { S3OutputPath: "s3://bucket/x" } } }],
  ["ShadowProductionVariants", {}, { ShadowProductionVariants: [{ ...aVariant, VariantName: "Shadow" }] }],
  [
    "DataCaptureConfig.EnableCapture",
    {},
    {
      DataCaptureConfig: {
        EnableCapture: true,
        InitialSamplingPercentage: 100,
        DestinationS3Uri: "s3://bucket/x",
        CaptureOptions: [{ CaptureMode: "Input" }],
      },
    },
  ],
])("%s is refused by name until it works", async (member, variant, over) => {
  const fake = await setup();
  await expect(create(fake, variant, over)).rejects.toMatchObject({
    code: "ValidationException",
    message: expect.stringMatching(new RegExp(`${member}.* is not implemented by Salvia yet.`)),
  });
});
