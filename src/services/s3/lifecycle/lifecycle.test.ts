import { expect, test } from "vitest";
import type { LifecycleRule } from "../../../models/generated/s3.ts";
import { createFakeS3, type FakeS3 } from "../s3.fake.ts";

const Bucket = "digits";
const day = 24 * 60 * 60_000;

async function withRules(Rules: readonly LifecycleRule[], versioning?: "Enabled" | "Suspended"): Promise<FakeS3> {
  const fake = await createFakeS3();
  await fake.call("CreateBucket", { Bucket }, { region: "us-east-1" });
  if (versioning) await fake.call("PutBucketVersioning", { Bucket, VersioningConfiguration: { Status: versioning } });
  await fake.call("PutBucketLifecycleConfiguration", { Bucket, LifecycleConfiguration: { Rules } });
  return fake;
}

const keysOf = async ({ call }: FakeS3): Promise<(string | undefined)[]> =>
  ((await call("ListObjectsV2", { Bucket })).Contents ?? []).map(({ Key }) => Key);

const versionsOf = async ({ call }: FakeS3): Promise<string[]> => {
  const { Versions = [], DeleteMarkers = [] } = await call("ListObjectVersions", { Bucket });
  return [...Versions.map(({ Key, Size }) => `${Key} ${Size}`), ...DeleteMarkers.map(({ Key }) => `${Key} marker`)];
};

const expiry = (Days: number, filter: LifecycleRule["Filter"] = { Prefix: "" }): LifecycleRule => ({
  ID: "r",
  Status: "Enabled",
  Filter: filter,
  Expiration: { Days },
});

test("objects go at the midnight after their days, and not before", async () => {
  const fake = await withRules([expiry(1, { Prefix: "tmp/" })]);
  await fake.call("PutObject", { Bucket, Key: "tmp/a", Body: "a" });
  await fake.call("PutObject", { Bucket, Key: "kept", Body: "b" });
  const created = fake.clock.now().getTime();
  const due = Math.ceil((created + day) / day) * day;
  await fake.clock.advance(due - created - 1);
  await fake.s3.sweepLifecycle();
  expect(await keysOf(fake)).toEqual(["kept", "tmp/a"]);
  await fake.clock.advance(1);
  await fake.s3.sweepLifecycle();
  expect(await keysOf(fake)).toEqual(["kept"]);
  await fake.clock.advance(day);
  await fake.s3.collectGarbage(fake.clock.now());
  expect(await fake.blobIds()).toHaveLength(1);
});

test("a rule takes only objects with all its tags and of its sizes; a disabled one takes none", async () => {
  const And = { Prefix: "p/", Tags: [{ Key: "a", Value: "1" }], ObjectSizeGreaterThan: 2, ObjectSizeLessThan: 5 };
  const fake = await withRules([expiry(1, { And }), { ...expiry(1), ID: "off", Status: "Disabled" }]);
  await fake.call("PutObject", { Bucket, Key: "p/yes", Body: "123", Tagging: "a=1&b=2" });
  await fake.call("PutObject", { Bucket, Key: "p/other-tag", Body: "123", Tagging: "a=2" });
  await fake.call("PutObject", { Bucket, Key: "p/small", Body: "12", Tagging: "a=1" });
  await fake.call("PutObject", { Bucket, Key: "p/large", Body: "12345", Tagging: "a=1" });
  await fake.call("PutObject", { Bucket, Key: "q/elsewhere", Body: "123", Tagging: "a=1" });
  await fake.clock.advance(3 * day);
  await fake.s3.sweepLifecycle();
  expect(await keysOf(fake)).toEqual(["p/large", "p/other-tag", "p/small", "q/elsewhere"]);
});

test("a date ends everything below the prefix once it has come", async () => {
  const fake = await withRules([]).catch(() => undefined);
  expect(fake).toBeUndefined();
  const date = new Date("2027-06-01");
  const rule = { ...expiry(1), Expiration: { Date: date } };
  const dated = await withRules([rule]);
  await dated.call("PutObject", { Bucket, Key: "k", Body: "b" });
  await dated.s3.sweepLifecycle();
  const isPast = dated.clock.now() >= date;
  expect(await keysOf(dated)).toEqual(isPast ? [] : ["k"]);
  await dated.clock.advance(Math.max(0, date.getTime() - dated.clock.now().getTime()));
  await dated.s3.sweepLifecycle();
  expect(await keysOf(dated)).toEqual([]);
  expect((await dated.call("GetBucketLifecycleConfiguration", { Bucket })).Rules).toEqual([rule]);
});

test("in a versioned bucket the current version is hidden, old ones go after their days, then the lonely marker", async () => {
  const noncurrent = { NoncurrentVersionExpiration: { NoncurrentDays: 2, NewerNoncurrentVersions: 1 } };
  const fake = await withRules([{ ...expiry(1), ...noncurrent }], "Enabled");
  for (const Body of ["1", "22", "333"]) await fake.call("PutObject", { Bucket, Key: "k", Body });
  await fake.clock.advance(1.5 * day);
  await fake.s3.sweepLifecycle();
  // 1 and 22 were superseded a day and a half ago, and 333 has just been.
  expect(await keysOf(fake)).toEqual([]);
  expect(await versionsOf(fake)).toEqual(["k 3", "k 2", "k 1", "k marker"]);
  await fake.clock.advance(2 * day);
  await fake.s3.sweepLifecycle();
  expect(await versionsOf(fake)).toEqual(["k 3", "k marker"]);
  await fake.call("PutBucketLifecycleConfiguration", {
    Bucket,
    LifecycleConfiguration: { Rules: [{ ...expiry(1), NoncurrentVersionExpiration: { NoncurrentDays: 1 } }] },
  });
  await fake.s3.sweepLifecycle();
  expect(await versionsOf(fake)).toEqual(["k marker"]);
  await fake.s3.sweepLifecycle();
  expect(await versionsOf(fake)).toEqual([]);
});

test("uploads that nobody completes are aborted after their days", async () => {
  const rule: LifecycleRule = {
    Status: "Enabled",
    Filter: { Prefix: "a" },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 },
  };
  const { call, clock, s3 } = await withRules([rule]);
  await call("CreateMultipartUpload", { Bucket, Key: "a" });
  await call("CreateMultipartUpload", { Bucket, Key: "b" });
  await clock.advance(3 * day);
  await s3.sweepLifecycle();
  expect((await call("ListMultipartUploads", { Bucket })).Uploads?.map(({ Key }) => Key)).toEqual(["b"]);
});

test("a thousand expired objects of a page and more all go in one sweep", async () => {
  const fake = await withRules([expiry(1)]);
  await fake.call("PutObject", { Bucket, Key: "0", Body: "b" });
  for (let n = 1; n < 600; n++) await fake.call("CopyObject", { Bucket, Key: `${n}`, CopySource: `${Bucket}/0` });
  await fake.clock.advance(3 * day);
  await fake.s3.sweepLifecycle();
  expect(await keysOf(fake)).toEqual([]);
});

test.each<[string, Partial<LifecycleRule>, string]>([
  ["no action", { Expiration: undefined }, "InvalidRequest"],
  ["zero days", { Expiration: { Days: 0 } }, "InvalidArgument"],
  ["a date that is no midnight", { Expiration: { Date: new Date("2027-06-01T12:00:00Z") } }, "InvalidArgument"],
  ["an id of 256 letters", { ID: "a".repeat(256) }, "InvalidArgument"],
  ["days and a date", { Expiration: { Days: 1, Date: new Date("2027-06-01") } }, "MalformedXML"],
  ["neither prefix nor filter", { Filter: undefined }, "MalformedXML"],
])("a rule with %s is refused", async (_, change, code) => {
  await expect(withRules([{ ...expiry(1), ...change }])).rejects.toMatchObject({ code });
});

test("of a bucket without rules S3 says so, also after they were deleted", async () => {
  const { call } = await withRules([expiry(1)]);
  await call("DeleteBucketLifecycle", { Bucket });
  await expect(call("GetBucketLifecycleConfiguration", { Bucket })).rejects.toMatchObject({
    code: "NoSuchLifecycleConfiguration",
  });
});
