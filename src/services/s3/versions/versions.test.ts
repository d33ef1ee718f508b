import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createFakeS3, type FakeS3 } from "../s3.fake.ts";

const Bucket = "digits";

async function withVersions(): Promise<FakeS3> {
  const fake = await createFakeS3();
  await fake.call("CreateBucket", { Bucket }, { region: "us-east-1" });
  await fake.call("PutBucketVersioning", { Bucket, VersioningConfiguration: { Status: "Enabled" } });
  return fake;
}

const put = async ({ call }: FakeS3, Key: string, Body: string): Promise<string> =>
  (await call("PutObject", { Bucket, Key, Body })).VersionId ?? "";

const read = async ({ call }: FakeS3, Key: string, VersionId?: string): Promise<string> => {
  const { Body } = await call("GetObject", { Bucket, Key, VersionId });
  let text = "";
  for await (const chunk of Body ?? []) text += Buffer.from(chunk).toString();
  return text;
};

test("each write makes a version that can be read, listed and deleted by its name", async () => {
  const fake = await withVersions();
  const first = await put(fake, "k", "one");
  const second = await put(fake, "k", "two");
  expect(first).not.toBe(second);
  expect(await read(fake, "k")).toBe("two");
  expect(await read(fake, "k", first)).toBe("one");
  const { Versions = [] } = await fake.call("ListObjectVersions", { Bucket });
  expect(Versions.map(({ VersionId, IsLatest }) => [VersionId, IsLatest])).toEqual([
    [second, true],
    [first, false],
  ]);
  expect(await fake.call("DeleteObject", { Bucket, Key: "k", VersionId: second })).toEqual({ VersionId: second });
  expect(await read(fake, "k")).toBe("one");
  await expect(read(fake, "k", second)).rejects.toMatchObject({ code: "NoSuchVersion" });
});

test("a deletion hides the object behind a marker; deleting the marker shows it again", async () => {
  const fake = await withVersions();
  const version = await put(fake, "k", "one");
  const { VersionId: marker, DeleteMarker } = await fake.call("DeleteObject", { Bucket, Key: "k" });
  expect(DeleteMarker).toBe(true);
  await expect(read(fake, "k")).rejects.toMatchObject({
    code: "NoSuchKey",
    headers: { "x-amz-delete-marker": "true", "x-amz-version-id": marker },
  });
  await expect(read(fake, "k", marker)).rejects.toMatchObject({ code: "MethodNotAllowed" });
  expect(await read(fake, "k", version)).toBe("one");
  expect((await fake.call("ListObjectsV2", { Bucket })).KeyCount).toBe(0);
  await expect(fake.call("DeleteBucket", { Bucket })).rejects.toMatchObject({ code: "BucketNotEmpty" });
  expect(await fake.call("DeleteObject", { Bucket, Key: "k", VersionId: marker })).toEqual({
    VersionId: marker,
    DeleteMarker: true,
  });
  expect(await read(fake, "k")).toBe("one");
});

test("tags, attributes and copies speak of the version that is named", async () => {
  const fake = await withVersions();
  const first = await put(fake, "k", "one");
  await put(fake, "k", "second");
  await fake.call("PutObjectTagging", {
    Bucket,
    Key: "k",
    VersionId: first,
    Tagging: { TagSet: [{ Key: "a", Value: "1" }] },
  });
  expect((await fake.call("GetObjectTagging", { Bucket, Key: "k", VersionId: first })).TagSet).toHaveLength(1);
  expect((await fake.call("GetObjectTagging", { Bucket, Key: "k" })).TagSet).toEqual([]);
  const attributes = { Bucket, Key: "k", VersionId: first, ObjectAttributes: ["ObjectSize"] as const };
  expect((await fake.call("GetObjectAttributes", attributes)).ObjectSize).toBe(3);
  const copied = await fake.call("CopyObject", { Bucket, Key: "k", CopySource: `${Bucket}/k?versionId=${first}` });
  expect(copied.CopySourceVersionId).toBe(first);
  expect(await read(fake, "k")).toBe("one");
});

test("a version that is superseded stays readable when the collector has run; one that is deleted loses its bytes", async () => {
  const fake = await withVersions();
  const first = await put(fake, "k", "one");
  await put(fake, "k", "two");
  const collect = async () => {
    await fake.clock.advance(3_600_000);
    await fake.s3.collectGarbage(fake.clock.now());
    await fake.s3.sweepOrphans(new Date("2100-01-01"));
  };
  await collect();
  expect(await read(fake, "k", first)).toBe("one");
  await fake.call("DeleteObject", { Bucket, Key: "k", VersionId: first });
  await collect();
  expect(await fake.blobIds()).toHaveLength(1);
});

test("a deletion with a condition is refused where a marker hides the object", async () => {
  const { call } = await withVersions();
  const { ETag } = await call("PutObject", { Bucket, Key: "k", Body: "one" });
  await call("DeleteObject", { Bucket, Key: "k", IfMatch: ETag });
  const again = call("DeleteObject", { Bucket, Key: "k", IfMatch: ETag });
  await expect(again).rejects.toMatchObject({ code: "PreconditionFailed" });
  expect((await call("ListObjectVersions", { Bucket })).DeleteMarkers).toHaveLength(1);
});

test("names that no version can have are refused, and versions that are not there are not found", async () => {
  const fake = await withVersions();
  await put(fake, "k", "one");
  await expect(read(fake, "k", "../x")).rejects.toMatchObject({ code: "InvalidArgument" });
  await expect(read(fake, "k", "a".repeat(32))).rejects.toMatchObject({ code: "NoSuchVersion" });
  await expect(read(fake, "k", "null")).rejects.toMatchObject({ code: "NoSuchVersion" });
});

// What the store is compared with: versions by key, the newest last.
interface Version {
  readonly id: string;
  readonly body: string | undefined;
}

const key = fc.constantFrom("a", "a/b", "z");
const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant("put" as const), key }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("delete" as const), key }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("remove" as const), key, at: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom("enable" as const, "suspend" as const), key }) },
);

/** The same in memory: what S3's pages on versioning say. */
class Model {
  readonly versions = new Map<string, Version[]>();
  state: "off" | "Enabled" | "Suspended" = "off";

  of(key: string): Version[] {
    return this.versions.get(key) ?? [];
  }

  write(key: string, version: Version): void {
    const kept = version.id === "null" ? this.of(key).filter(({ id }) => id !== "null") : this.of(key);
    this.versions.set(key, [...kept, version]);
  }

  remove(key: string, id: string): void {
    this.versions.set(
      key,
      this.of(key).filter((version) => version.id !== id),
    );
  }
}

/** The same bucket once more, as new: cheaper than another one for each run. */
async function empty({ store }: FakeS3): Promise<void> {
  await store.write(async (tx) => {
    await tx.deleteFrom("objects").execute();
    await tx.deleteFrom("object_versions").execute();
    await tx.updateTable("buckets").set({ versioning: "" }).execute();
  });
}

async function expectSame({ call }: FakeS3, model: Model): Promise<void> {
  const listed: unknown[] = [];
  let markers: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
  for (let isMore = true; isMore;) {
    const page = await call("ListObjectVersions", { Bucket, MaxKeys: 2, ...markers });
    const found = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
    for (const { Key, VersionId, IsLatest } of found) listed.push([Key, VersionId, IsLatest]);
    markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    isMore = page.IsTruncated === true;
  }
  const wanted = ["a", "a/b", "z"].flatMap((each) =>
    model
      .of(each)
      .map(({ id }, at, all) => [each, id, at === all.length - 1])
      .reverse(),
  );
  const sorted = (rows: unknown[]) => rows.map((row) => JSON.stringify(row)).sort();
  expect(sorted(listed)).toEqual(sorted(wanted));
  const current = [...model.versions].filter(([, all]) => all.at(-1)?.body !== undefined).map(([each]) => each);
  const keys = ((await call("ListObjectsV2", { Bucket })).Contents ?? []).map(({ Key }) => Key);
  expect(keys).toEqual(current.sort());
}

async function apply(fake: FakeS3, model: Model, step: { does: string; key: string; at?: number }, n: number) {
  const { call } = fake;
  const { does, key: Key } = step;
  if (does === "enable" || does === "suspend") {
    model.state = does === "enable" ? "Enabled" : "Suspended";
    await call("PutBucketVersioning", { Bucket, VersioningConfiguration: { Status: model.state } });
  } else if (does === "put") {
    const id = (await put(fake, Key, `body ${n}`)) || "null";
    model.write(Key, { id, body: `body ${n}` });
  } else if (does === "delete") {
    const { VersionId } = await call("DeleteObject", { Bucket, Key });
    if (model.state === "off") model.remove(Key, "null");
    else model.write(Key, { id: VersionId ?? "", body: undefined });
  } else {
    const all = model.of(Key);
    const id = all[(step.at ?? 0) % Math.max(1, all.length)]?.id ?? "null";
    await call("DeleteObject", { Bucket, Key, VersionId: id });
    model.remove(Key, id);
  }
}

test("whatever is put, deleted, removed and switched: S3 has the versions that the rules say, in their order", async () => {
  const fake = await createFakeS3();
  await fake.call("CreateBucket", { Bucket }, { region: "us-east-1" });
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 25 }), async (steps) => {
      await empty(fake);
      const model = new Model();
      for (const [n, step] of steps.entries()) await apply(fake, model, step, n);
      await expectSame(fake, model);
      for (const [Key, all] of model.versions) {
        for (const { id, body } of all) {
          if (body !== undefined) expect(await read(fake, Key, id)).toBe(body);
        }
      }
    }),
    { numRuns: 100 },
  );
});

test("versions are listed in pages with prefixes folded, as many as fit", async () => {
  const fake = await withVersions();
  for (const Key of ["a/1", "a/2", "b", "b", "c/1"]) await put(fake, Key, "x");
  await fake.call("DeleteObject", { Bucket, Key: "b" });
  const page = (markers: object) => fake.call("ListObjectVersions", { Bucket, Delimiter: "/", MaxKeys: 2, ...markers });
  const first = await page({});
  expect([first.CommonPrefixes, first.Versions, first.DeleteMarkers?.length]).toEqual([[{ Prefix: "a/" }], [], 1]);
  const second = await page({ KeyMarker: first.NextKeyMarker, VersionIdMarker: first.NextVersionIdMarker });
  expect(second.Versions?.map(({ Key }) => Key)).toEqual(["b", "b"]);
  const third = await page({ KeyMarker: second.NextKeyMarker, VersionIdMarker: second.NextVersionIdMarker });
  expect([third.CommonPrefixes, third.IsTruncated]).toEqual([[{ Prefix: "c/" }], false]);
});
