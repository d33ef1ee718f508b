import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { AwsError } from "../../../lib/aws-error.ts";
import type { SagemakerPlatform } from "../context.ts";
import { storeFile } from "./store-file.ts";
import type { TaskRow } from "./task-owner.ts";

const roleArn = "arn:aws:iam::000000000000:role/r";

function world(decision: { readonly owner?: string; readonly problem?: string }, putError?: Error) {
  const keys: string[] = [];
  const platform = {
    roles: { decideForRole: async () => decision },
    objects: {
      put: async (account: string, bucket: string, key: string) => {
        if (putError) throw putError;
        keys.push(`${account} ${bucket} ${key}`);
      },
    },
  } as unknown as Pick<SagemakerPlatform, "objects" | "roles">;
  const store = (...segments: string[]): Promise<string | undefined> =>
    storeFile(
      platform,
      { folder: { bucket: "b", key: "out/" }, segments, roleArn, task: { region: "us-west-2" } as TaskRow },
      Readable.from(["x"]),
    );
  return { keys, store };
}

test("a file becomes an object below its folder, in the account of the bucket", async () => {
  const { keys, store } = world({ owner: "111111111111" });
  expect(await store("deep", "a%20b%2B")).toBeUndefined();
  expect(keys).toEqual(["111111111111 b out/deep/a b+"]);
});

test.each([[".."], ["a", "..", "b"], ["%2e%2e"], ["a%2Fb"], [""], ["a", ""], ["%00"], ["%E0%A4%A"], []])(
  "the path %j is refused",
  async (...segments) => {
    const { keys, store } = world({ owner: "1" });
    expect(await store(...segments)).toMatch(/path/);
    expect(keys).toEqual([]);
  },
);

test("what the role may not write, a bucket that is gone, and a key too long are told", async () => {
  expect(await world({ owner: "1", problem: "Access Denied" }).store("a")).toBe("Access Denied: s3://b/out/a");
  expect(await world({}).store("a")).toBe("The specified bucket does not exist: b");
  expect(await world({ owner: "1" }).store("é".repeat(600))).toMatch(/longer than 1024 bytes/);
  expect(await world({ owner: "1" }, new AwsError("NoSuchBucket", "gone")).store("a")).toBe("gone: s3://b/out/a");
  await expect(world({ owner: "1" }, new Error("disk")).store("a")).rejects.toThrow("disk");
});
