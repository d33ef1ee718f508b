// Kills S3 before and after every step of a write, starts it again on what is left, and looks for the old object or the new.
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import type { Store } from "../../database/store.ts";
import type { BlobStorage } from "../../storage/storage.ts";
import { createFakeS3, fakeS3On, type FakeS3 } from "./s3.fake.ts";

const Bucket = "digits";
const Key = "k";

class Crash extends Error {}

/** Counts the steps that change something, and dies at one of them: before it is done, or after and before anyone knows. */
class Fate {
  #step = 0;
  readonly #dieAt: number;

  constructor(dieAt: number) {
    this.#dieAt = dieAt;
  }

  get steps(): number {
    return this.#step;
  }

  async around<T>(work: () => Promise<T>): Promise<T> {
    if (this.#step++ >= this.#dieAt) throw new Crash("before");
    const result = await work();
    if (this.#step++ >= this.#dieAt) throw new Crash("after");
    return result;
  }

  readonly wrapStorage = (storage: BlobStorage): BlobStorage => ({
    write: (source) => this.around(() => storage.write(source)),
    join: (ids) => this.around(() => storage.join(ids)),
    remove: (id) => this.around(() => storage.remove(id)),
    read: (id, range) => storage.read(id, range),
    localPath: (id) => storage.localPath(id),
    list: () => storage.list(),
  });

  readonly wrapStore = (store: Store): Store => ({
    read: store.read,
    write: (work) => this.around(() => store.write(work)),
    close: () => store.close(),
  });
}

/** The blobs that rows still speak of once everything else was collected and swept. */
async function afterCleaning({
  s3,
  store,
  blobIds,
}: FakeS3): Promise<{ readonly blobs: string[]; readonly rows: string[] }> {
  // Blobs bear the time of the machine, rows that of the clock.
  const later = new Date("2100-01-01");
  await s3.collectGarbage(later);
  await s3.sweepOrphans(later);
  const objects = await store.read.selectFrom("objects").select("blob_id").execute();
  const versions = await store.read
    .selectFrom("object_versions")
    .select("blob_id")
    .where("is_delete_marker", "=", 0)
    .execute();
  const parts = await store.read.selectFrom("upload_parts").select("blob_id").execute();
  return {
    blobs: await blobIds(),
    rows: [...new Set([...objects, ...versions, ...parts].map((row) => row.blob_id))].sort(),
  };
}

/** Runs `change` with a crash at each of its steps in turn, until it needs no more of them. */
async function crashEverywhere(
  prepare: (fake: FakeS3) => Promise<void>,
  change: (fake: FakeS3) => Promise<unknown>,
  check: (fake: FakeS3, outcome: "done" | "crashed") => Promise<void>,
): Promise<number> {
  for (let dieAt = 0; ; dieAt++) {
    const healthy = await createFakeS3();
    await healthy.call("CreateBucket", { Bucket }, { region: "us-east-1" });
    await prepare(healthy);
    const fate = new Fate(dieAt);
    const outcome = await change(fakeS3On(healthy, fate)).then(
      () => "done" as const,
      (error: unknown) => {
        expect(error).toBeInstanceOf(Crash);
        return "crashed" as const;
      },
    );
    const restarted = fakeS3On(healthy);
    await check(restarted, outcome);
    const { blobs, rows } = await afterCleaning(restarted);
    expect(blobs).toEqual(rows);
    await check(restarted, outcome);
    if (outcome === "done") return fate.steps;
  }
}

test("PutObject that dies anywhere leaves the old object or the new one, and in the end no other bytes", async () => {
  const steps = await crashEverywhere(
    async ({ call }) => void (await call("PutObject", { Bucket, Key, Body: "old" })),
    ({ call }) => call("PutObject", { Bucket, Key, Body: "newer" }),
    async ({ call, bytes }, outcome) => {
      const text = (await bytes(Bucket, Key)).toString();
      expect(outcome === "done" ? ["newer"] : ["old", "newer"]).toContain(text);
      expect((await call("HeadObject", { Bucket, Key })).ContentLength).toBe(text.length);
    },
  );
  expect(steps).toBe(4);
});

test("PutObject of a refused condition that dies anywhere leaves the old object", async () => {
  await crashEverywhere(
    async ({ call }) => void (await call("PutObject", { Bucket, Key, Body: "old" })),
    async ({ call }) => {
      // Both pass the first look; the second of them is refused when the row is switched.
      const race = await Promise.allSettled([
        call("PutObject", { Bucket, Key: "other", Body: "1", IfNoneMatch: "*" }),
        call("PutObject", { Bucket, Key: "other", Body: "2", IfNoneMatch: "*" }),
      ]);
      for (const result of race)
        if (result.status === "rejected" && result.reason instanceof Crash) throw result.reason;
    },
    async ({ bytes }) => expect((await bytes(Bucket, Key)).toString()).toBe("old"),
  );
});

test("CompleteMultipartUpload that dies anywhere leaves the old object and the upload, or the new object", async () => {
  const part = Buffer.alloc(5 * 1024 * 1024, "n");
  let MultipartUpload = {};
  let UploadId = "";
  const steps = await crashEverywhere(
    async ({ call }) => {
      await call("PutObject", { Bucket, Key, Body: "old" });
      UploadId = (await call("CreateMultipartUpload", { Bucket, Key })).UploadId ?? "";
      const first = await call("UploadPart", { Bucket, Key, UploadId, PartNumber: 1, Body: part });
      const second = await call("UploadPart", { Bucket, Key, UploadId, PartNumber: 2, Body: "end" });
      MultipartUpload = { Parts: [first, second].map(({ ETag }, at) => ({ PartNumber: at + 1, ETag })) };
    },
    ({ call }) => call("CompleteMultipartUpload", { Bucket, Key, UploadId, MultipartUpload }),
    async ({ call, bytes }, outcome) => {
      const object = await bytes(Bucket, Key);
      const isNew = object.equals(Buffer.concat([part, Buffer.from("end")]));
      if (outcome === "done") expect(isNew).toBe(true);
      if (isNew) return;
      expect(object.toString()).toBe("old");
      expect((await call("ListParts", { Bucket, Key, UploadId })).Parts).toHaveLength(2);
    },
  );
  expect(steps).toBe(4);
});

/** Bytes of all versions, the newest first; a delete marker is "-". */
async function historyOf({ call }: FakeS3): Promise<string[]> {
  const { Versions = [], DeleteMarkers = [] } = await call("ListObjectVersions", { Bucket, Prefix: Key });
  const versions = await Promise.all(
    Versions.map(async ({ VersionId, IsLatest }) => {
      const { Body } = await call("GetObject", { Bucket, Key, VersionId });
      const bytes = await buffer(Body as Readable);
      return { text: bytes.length > 20 ? "large" : bytes.toString(), IsLatest };
    }),
  );
  const all = [...versions, ...DeleteMarkers.map(({ IsLatest }) => ({ text: "-", IsLatest }))];
  return [...all.filter(({ IsLatest }) => IsLatest), ...all.filter(({ IsLatest }) => !IsLatest)].map(
    ({ text }) => text,
  );
}

const setVersioning = ({ call }: FakeS3, Status: "Enabled" | "Suspended") =>
  call("PutBucketVersioning", { Bucket, VersioningConfiguration: { Status } });

test("PutObject in a bucket with versions that dies anywhere loses no version and makes no half of one", async () => {
  const steps = await crashEverywhere(
    async (fake) => {
      await fake.call("PutObject", { Bucket, Key, Body: "null" });
      await setVersioning(fake, "Enabled");
      await fake.call("PutObject", { Bucket, Key, Body: "old" });
    },
    ({ call }) => call("PutObject", { Bucket, Key, Body: "newer" }),
    async (fake, outcome) => {
      const before = ["old", "null"];
      const after = ["newer", "old", "null"];
      expect(outcome === "done" ? [after] : [before, after]).toContainEqual(await historyOf(fake));
    },
  );
  expect(steps).toBe(4);
});

test("PutObject and DeleteObject in a suspended bucket that die anywhere replace the null version as a whole", async () => {
  await crashEverywhere(
    async (fake) => {
      await fake.call("PutObject", { Bucket, Key, Body: "null" });
      await setVersioning(fake, "Enabled");
      await fake.call("PutObject", { Bucket, Key, Body: "old" });
      await setVersioning(fake, "Suspended");
    },
    async ({ call }) => {
      await call("PutObject", { Bucket, Key, Body: "newer" });
      await call("DeleteObject", { Bucket, Key });
    },
    async (fake, outcome) => {
      const stages = [
        ["old", "null"],
        ["newer", "old"],
        ["-", "old"],
      ];
      expect(outcome === "done" ? stages.slice(2) : stages).toContainEqual(await historyOf(fake));
    },
  );
});

test("deletions of versions that die anywhere leave the version before, or the one behind it in its place", async () => {
  let VersionId: string | undefined;
  await crashEverywhere(
    async (fake) => {
      await setVersioning(fake, "Enabled");
      await fake.call("PutObject", { Bucket, Key, Body: "old" });
      ({ VersionId } = await fake.call("PutObject", { Bucket, Key, Body: "newer" }));
    },
    ({ call }) => call("DeleteObject", { Bucket, Key, VersionId }),
    async (fake, outcome) => {
      const text = (await fake.bytes(Bucket, Key)).toString();
      expect(outcome === "done" ? ["old"] : ["newer", "old"]).toContain(text);
      expect(await historyOf(fake)).toEqual(text === "old" ? ["old"] : ["newer", "old"]);
    },
  );
});

test("CompleteMultipartUpload in a bucket with versions that dies anywhere keeps the old version and the upload, or both versions", async () => {
  const part = Buffer.alloc(5 * 1024 * 1024, "n");
  let MultipartUpload = {};
  let UploadId = "";
  const steps = await crashEverywhere(
    async (fake) => {
      const { call } = fake;
      await setVersioning(fake, "Enabled");
      await call("PutObject", { Bucket, Key, Body: "old" });
      UploadId = (await call("CreateMultipartUpload", { Bucket, Key })).UploadId ?? "";
      const first = await call("UploadPart", { Bucket, Key, UploadId, PartNumber: 1, Body: part });
      const second = await call("UploadPart", { Bucket, Key, UploadId, PartNumber: 2, Body: "end" });
      MultipartUpload = { Parts: [first, second].map(({ ETag }, at) => ({ PartNumber: at + 1, ETag })) };
    },
    ({ call }) => call("CompleteMultipartUpload", { Bucket, Key, UploadId, MultipartUpload }),
    async (fake, outcome) => {
      const history = await historyOf(fake);
      expect(outcome === "done" ? [["large", "old"]] : [["old"], ["large", "old"]]).toContainEqual(history);
      if (history.length === 2) {
        // Asking once more answers the same version.
        const again = await fake.call("CompleteMultipartUpload", { Bucket, Key, UploadId, MultipartUpload });
        expect(again.VersionId).toBeDefined();
      } else {
        expect((await fake.call("ListParts", { Bucket, Key, UploadId })).Parts).toHaveLength(2);
      }
    },
  );
  expect(steps).toBe(4);
});

test("UploadPart and DeleteObject that die anywhere leave what was or what was to be", async () => {
  let UploadId = "";
  await crashEverywhere(
    async ({ call }) => {
      await call("PutObject", { Bucket, Key, Body: "old" });
      UploadId = (await call("CreateMultipartUpload", { Bucket, Key })).UploadId ?? "";
      await call("UploadPart", { Bucket, Key, UploadId, PartNumber: 1, Body: "old part" });
    },
    async ({ call }) => {
      await call("UploadPart", { Bucket, Key, UploadId, PartNumber: 1, Body: "newer part" });
      await call("DeleteObject", { Bucket, Key });
    },
    async ({ call, s3 }) => {
      const { Parts = [] } = await call("ListParts", { Bucket, Key, UploadId });
      expect(["old part".length, "newer part".length]).toContain(Parts[0]?.Size);
      const info = await s3.objects.head("000000000000", Bucket, Key);
      if (info) expect(info.sizeBytes).toBe(3);
    },
  );
});

test("a collector that dies anywhere removes no byte that is needed, and the next one and the sweeper finish", async () => {
  await crashEverywhere(
    async ({ call }) => {
      for (const Body of ["1", "2", "3"]) await call("PutObject", { Bucket, Key, Body });
      await call("CopyObject", { Bucket, Key: "copy", CopySource: `${Bucket}/${Key}` });
      await call("DeleteObject", { Bucket, Key });
    },
    ({ s3 }) => s3.collectGarbage(new Date("2100-01-01")),
    async ({ bytes }) => expect((await bytes(Bucket, "copy")).toString()).toBe("3"),
  );
});
