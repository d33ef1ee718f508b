import { expect, test } from "vitest";
import { account, fakeSagemaker, kmeansJob, type FakeSagemaker } from "../sagemaker.fake.ts";

const ResourceArn = `arn:aws:sagemaker:us-west-2:${account}:training-job/job`;

async function tagged(count = 0): Promise<FakeSagemaker> {
  const world = await fakeSagemaker();
  const Tags = Array.from({ length: count }, (_, at) => ({
    Key: `key-${String(at).padStart(2, "0")}`,
    Value: `${at}`,
  }));
  await world.call("CreateTrainingJob", { ...kmeansJob("job"), Tags });
  return world;
}

test("tags are added, replaced by key, listed and deleted", async () => {
  const world = await tagged(1);
  const added = await world.call("AddTags", {
    ResourceArn,
    Tags: [
      { Key: "team", Value: "digits" },
      { Key: "key-00", Value: "new" },
    ],
  });
  const both = [
    { Key: "key-00", Value: "new" },
    { Key: "team", Value: "digits" },
  ];
  expect(new Set(added.Tags)).toEqual(new Set(both));
  expect(await world.call("ListTags", { ResourceArn })).toEqual({ Tags: both });
  await world.call("DeleteTags", { ResourceArn, TagKeys: ["team", "unknown"] });
  expect(await world.call("ListTags", { ResourceArn })).toEqual({ Tags: [both[0]] });
});

test("pages of tags hold every tag once", async () => {
  const world = await tagged(12);
  const seen: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = await world.call("ListTags", { ResourceArn, MaxResults: 5, NextToken });
    seen.push(...(page.Tags ?? []).map((tag) => tag.Key));
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  expect(seen).toEqual(Array.from({ length: 12 }, (_, at) => `key-${String(at).padStart(2, "0")}`));
});

test("a resource has at most 50 tags", async () => {
  const world = await tagged(50);
  await expect(world.call("AddTags", { ResourceArn, Tags: [{ Key: "one more", Value: "" }] })).rejects.toThrow(
    "at most 50 tags",
  );
  await world.call("AddTags", { ResourceArn, Tags: [{ Key: "key-07", Value: "replaced" }] });
});

test.for([
  ["what is no ARN", "job", "is not the ARN of a SageMaker resource"],
  ["another account", ResourceArn.replace(account, "111111111111"), "another account or region"],
  ["another region", ResourceArn.replace("us-west-2", "eu-west-1"), "another account or region"],
  ["a job that is not there", `${ResourceArn}-2`, "Requested resource not found."],
  ["a kind without tags", ResourceArn.replace("training-job", "space"), "not implemented by Salvia yet"],
] as const)("tags of %s are refused", async ([, arn, message]) => {
  const world = await tagged();
  await expect(world.call("ListTags", { ResourceArn: arn })).rejects.toThrow(message);
});

test("keys that AWS keeps for itself are refused", async () => {
  const world = await tagged();
  await expect(world.call("AddTags", { ResourceArn, Tags: [{ Key: "aws:x", Value: "" }] })).rejects.toThrow("reserved");
});
