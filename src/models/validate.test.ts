import { expect, test } from "vitest";
import { AwsError } from "../lib/aws-error.ts";
import { createModels, createValidator, type ServiceName } from "./index.ts";

const models = createModels();
const validator = createValidator();

function errorOf(service: ServiceName, name: string, input: unknown): AwsError | undefined {
  const operation = models.serviceModel(service).operations.get(name);
  if (!operation) throw new Error(`no operation ${name}`);
  try {
    validator.validate(operation, input);
    return undefined;
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}

/** The failures in a message, in no order: AWS has none either. */
const failuresOf = (service: ServiceName, name: string, input: unknown): Set<string> | undefined => {
  const message = errorOf(service, name, input)?.message;
  return message === undefined
    ? undefined
    : new Set(message.replace(/^\d+ validation errors? detected: /, "").split("; "));
};

test("an input that keeps every constraint passes", () => {
  expect(errorOf("sagemaker", "DescribeModel", { ModelName: "model-1" })).toBeUndefined();
  expect(errorOf("sts", "GetCallerIdentity", undefined)).toBeUndefined();
});

test("a missing member, a pattern, a length and an enum are told in AWS's words", () => {
  const missing = errorOf("sagemaker", "DescribeModel", {});
  expect(missing?.code).toBe("ValidationException");
  expect(missing?.message).toBe(
    "1 validation error detected: Value null at 'modelName' failed to satisfy constraint: Member must not be null",
  );
  expect(errorOf("sagemaker", "DescribeModel", { ModelName: "bad_name" })?.message).toBe(
    "1 validation error detected: Value 'bad_name' at 'modelName' failed to satisfy constraint: " +
      "Member must satisfy regular expression pattern: [a-zA-Z0-9]([\\-a-zA-Z0-9]*[a-zA-Z0-9])?",
  );
  const long = `${"a".repeat(63)}_`;
  const twice = errorOf("sagemaker", "DescribeModel", { ModelName: long })?.message;
  expect(twice).toMatch(/^2 validation errors detected: /);
  expect(twice).toContain(
    `Value '${long}' at 'modelName' failed to satisfy constraint: Member must have length less than or equal to 63`,
  );
  expect(errorOf("sagemaker", "ListModels", { MaxResults: 101, SortOrder: "Up" })?.message).toBe(
    "2 validation errors detected: Value 'Up' at 'sortOrder' failed to satisfy constraint: Member must satisfy enum value set: " +
      "[Ascending, Descending]; Value '101' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100",
  );
});

test("lists of scalars are told as a whole, lists of structures by element, maps by keys and values", () => {
  const input = {
    ModelName: "m",
    VpcConfig: { Subnets: ["a b", "c"], SecurityGroupIds: [] },
    Tags: [{ Key: "k", Value: "v" }, { Key: "k" }],
    PrimaryContainer: { Environment: { "1 x": "v", y: "w" } },
  };
  expect(failuresOf("sagemaker", "CreateModel", input)).toEqual(
    new Set([
      "Value '[a b, c]' at 'vpcConfig.subnets' failed to satisfy constraint: Member must satisfy constraint: " +
        "[Member must have length less than or equal to 32, Member must have length greater than or equal to 0, " +
        "Member must satisfy regular expression pattern: [-0-9a-zA-Z]+]",
      "Value '[]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint: Member must have length greater than or equal to 1",
      "Value null at 'tags.2.member.value' failed to satisfy constraint: Member must not be null",
      "Value '{1 x=v, y=w}' at 'primaryContainer.environment' failed to satisfy constraint: Map keys must satisfy constraint: " +
        "[Member must have length less than or equal to 1024, Member must have length greater than or equal to 0, " +
        "Member must satisfy regular expression pattern: [a-zA-Z_][a-zA-Z0-9_]*]",
    ]),
  );
});

test("a hyperparameter that is too long is told as a map value", () => {
  const operation = { TrainingJobName: "j", HyperParameters: { k: "x".repeat(2501) } };
  const failures = [...(failuresOf("sagemaker", "CreateTrainingJob", operation) ?? [])];
  const found = failures.find((failure) => failure.includes("'hyperParameters'"));
  expect(found).toContain(
    "Map value must satisfy constraint: [Member must have length less than or equal to 2500, " +
      "Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: .*]",
  );
});

test("nulls in lists are failures, not crashes", () => {
  const failures = failuresOf("sagemaker", "AddTags", { ResourceArn: "arn:aws:sagemaker:r:0:x", Tags: [null] });
  expect(failures).toContain("Value null at 'tags.1.member' failed to satisfy constraint: Member must not be null");
  const keys = failuresOf("sagemaker", "DeleteTags", { ResourceArn: "arn:aws:sagemaker:r:0:x", TagKeys: ["a", null] });
  expect([...(keys ?? [])].join()).toContain("Value '[a, null]' at 'tagKeys'");
  expect([...(keys ?? [])].join()).toContain(", Member must not be null]");
});

test("no more than ten failures are listed, but all are counted", () => {
  const Tags = Array.from({ length: 30 }, () => ({}));
  const message = errorOf("sagemaker", "CreateModel", { ModelName: "m", Tags })?.message ?? "";
  expect(message).toMatch(/^60 validation errors detected: /);
  expect(message.split("; ")).toHaveLength(10);
});

test("sensitive values are never printed", () => {
  const message = errorOf("iam", "CreateLoginProfile", { UserName: "u", Password: "" })?.message;
  expect(message).toContain("Value at 'password' failed to satisfy constraint");
});

test("each service answers with the code that it has on AWS", () => {
  expect(errorOf("iam", "GetRole", {})?.code).toBe("ValidationError");
  expect(errorOf("cloudwatch", "PutMetricData", {})?.code).toBe("ValidationError");
  expect(errorOf("sagemaker-runtime", "InvokeEndpoint", { EndpointName: "" })?.code).toBe("ValidationError");
  expect(errorOf("logs", "CreateLogGroup", {})?.code).toBe("InvalidParameterException");
  expect(errorOf("s3", "PutObject", { Bucket: "b", Key: "k", StorageClass: "COLD" })?.code).toBe("InvalidStorageClass");
  expect(errorOf("s3", "CreateBucket", { Bucket: "b", ACL: "open" })).toMatchObject({
    code: "InvalidArgument",
    fields: { ArgumentName: "x-amz-acl" },
  });
  const versioning = { Bucket: "b", VersioningConfiguration: { Status: "On" } };
  expect(errorOf("s3", "PutBucketVersioning", versioning)?.code).toBe("MalformedXML");
  const anywhere = { Bucket: "b", CreateBucketConfiguration: { LocationConstraint: "mars-north-1" } };
  expect(errorOf("s3", "CreateBucket", anywhere)).toBeUndefined();
});

test("characters beyond the basic plane count once", () => {
  const Description = "\u{1F600}".repeat(512);
  const base = { TrialName: "t", ExperimentName: "e" };
  expect(errorOf("sagemaker", "CreateExperiment", { ...base, DisplayName: "d", Description })).toBeUndefined();
});
