import { expect, test } from "vitest";
import { createFakeS3 } from "../s3.fake.ts";
import { isBucketName } from "./bucket-name.ts";

const east = { region: "us-east-1" };

test.each(["digits", "my.bucket-1", "sagemaker-us-west-2-000000000000", "a".repeat(63), "123"])(
  "%s is the name of a bucket",
  (name) => {
    expect(isBucketName(name)).toBe(true);
  },
);

test.each(["ab", "A-b", "a_b", "-ab", "ab-", "a..b", "10.0.0.1", "xn--a", "a-s3alias", "a".repeat(64), "a/b", ""])(
  "%s is not the name of a bucket",
  (name) => {
    expect(isBucketName(name)).toBe(false);
  },
);

test.each(["studio", "health", "metrics", "_salvia", "v2"])("the name %s is kept for Salvia itself", async (Bucket) => {
  const { call } = await createFakeS3();
  await expect(call("CreateBucket", { Bucket }, east)).rejects.toMatchObject({ code: "InvalidBucketName" });
});

test("a bucket is found, listed and gone again", async () => {
  const { call, clock } = await createFakeS3();
  expect(await call("CreateBucket", { Bucket: "digits" }, east)).toMatchObject({ Location: "/digits" });
  expect(await call("HeadBucket", { Bucket: "digits" })).toMatchObject({ BucketRegion: "us-east-1" });
  expect((await call("ListBuckets", {})).Buckets).toMatchObject([{ Name: "digits", CreationDate: clock.now() }]);
  expect(await call("GetBucketVersioning", { Bucket: "digits" })).toEqual({});
  await call("DeleteBucket", { Bucket: "digits" });
  await expect(call("HeadBucket", { Bucket: "digits" })).rejects.toMatchObject({ code: "NoSuchBucket" });
});

test("a bucket with an object stays; one with an unfinished upload goes with it", async () => {
  const { call, s3, clock, blobIds } = await createFakeS3();
  await call("CreateBucket", { Bucket: "full" }, east);
  await call("PutObject", { Bucket: "full", Key: "k", Body: "x" });
  await expect(call("DeleteBucket", { Bucket: "full" })).rejects.toMatchObject({ code: "BucketNotEmpty" });
  await call("DeleteObject", { Bucket: "full", Key: "k" });
  const { UploadId = "" } = await call("CreateMultipartUpload", { Bucket: "full", Key: "k" });
  await call("UploadPart", { Bucket: "full", Key: "k", UploadId, PartNumber: 1, Body: "part" });
  await call("DeleteBucket", { Bucket: "full" });
  await clock.advance(60_000);
  await s3.collectGarbage(clock.now());
  expect(await blobIds()).toEqual([]);
});

test("the location is the constraint, which has to be that of the endpoint", async () => {
  const { call } = await createFakeS3();
  const create = (Bucket: string, LocationConstraint: string | undefined, region: string) =>
    call(
      "CreateBucket",
      {
        Bucket,
        ...(LocationConstraint && { CreateBucketConfiguration: { LocationConstraint: LocationConstraint as "EU" } }),
      },
      { region },
    );
  await create("here", "us-west-2", "us-west-2");
  await create("global", undefined, "us-east-1");
  await create("old-name", "EU", "eu-west-1");
  await create("from-afar", "eu-central-1", "us-east-1");
  expect(await call("GetBucketLocation", { Bucket: "here" })).toEqual({ LocationConstraint: "us-west-2" });
  expect(await call("GetBucketLocation", { Bucket: "global" })).toEqual({});
  expect(await call("GetBucketLocation", { Bucket: "old-name" })).toEqual({ LocationConstraint: "eu-west-1" });
  expect(await call("GetBucketLocation", { Bucket: "from-afar" })).toEqual({ LocationConstraint: "eu-central-1" });
  const incompatible = { code: "IllegalLocationConstraintException" };
  await expect(create("wrong", "eu-west-1", "us-west-2")).rejects.toMatchObject(incompatible);
  await expect(create("unsaid", undefined, "us-west-2")).rejects.toMatchObject(incompatible);
  await expect(create("superfluous", "us-east-1", "us-east-1")).rejects.toMatchObject({
    code: "InvalidLocationConstraint",
  });
});

test("a name is taken once: by yourself (forgiven in us-east-1) or by another account", async () => {
  const { call } = await createFakeS3();
  await call("CreateBucket", { Bucket: "mine" }, east);
  await expect(call("CreateBucket", { Bucket: "mine" }, east)).resolves.toBeDefined();
  await expect(
    call("CreateBucket", { Bucket: "mine", CreateBucketConfiguration: { LocationConstraint: "us-west-2" } }),
  ).rejects.toMatchObject({ code: "BucketAlreadyOwnedByYou" });
  await expect(call("CreateBucket", { Bucket: "mine" }, { ...east, account: "111111111111" })).rejects.toMatchObject({
    code: "BucketAlreadyExists",
  });
});

test("buckets are listed in pages, of the own account alone", async () => {
  const { call } = await createFakeS3();
  for (const Bucket of ["aaa", "aab", "bbb"]) await call("CreateBucket", { Bucket }, east);
  await call("CreateBucket", { Bucket: "foreign" }, { ...east, account: "111111111111" });
  const first = await call("ListBuckets", { MaxBuckets: 2 });
  expect(first.Buckets?.map((bucket) => bucket.Name)).toEqual(["aaa", "aab"]);
  const second = await call("ListBuckets", { MaxBuckets: 2, ContinuationToken: first.ContinuationToken });
  expect(second.Buckets?.map((bucket) => bucket.Name)).toEqual(["bbb"]);
  expect(second.ContinuationToken).toBeUndefined();
  expect((await call("ListBuckets", { Prefix: "aa" })).Buckets).toHaveLength(2);
});
