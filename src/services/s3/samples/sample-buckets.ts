// Sample buckets: folders of this machine shown as public buckets that nobody can write to, for programs that read AWS's own
// public data. Their objects are rows like all others; a look at the folder every few seconds keeps them true.
import { createHash } from "node:crypto";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Store, Writer } from "../../../database/store.ts";
import type { Log } from "../../../lib/log.ts";
import type { MountedStorage } from "../../../storage/mounted/mounted-storage.ts";
import { saveSetting } from "../configuration/bucket-settings.ts";
import { saveObject, type StoredObject } from "../object/objects.ts";

export interface SampleBucket {
  readonly name: string;
  /** Absolute. */
  readonly folder: string;
}

/** Owns every sample bucket; nobody has its keys. */
export const sampleAccount = "000000000001";

export interface SampleParts {
  readonly store: Store;
  readonly storage: MountedStorage;
  readonly log: Log;
  readonly samples: readonly SampleBucket[];
  readonly now: Date;
}

/** A folder or a name that cannot be a sample bucket: a sentence for people. */
export class SampleBucketError extends Error {}

const maxKeyBytes = 1_024;
const rowsPerTransaction = 500;

/** Makes the buckets what their folders are now, and removes those that are mounted no more. */
export async function syncSampleBuckets(parts: SampleParts): Promise<void> {
  await removeUnmounted(parts);
  for (const sample of parts.samples) {
    await ensureBucket(sample, parts);
    await syncObjects(sample, parts);
  }
}

async function removeUnmounted({ store, samples }: SampleParts): Promise<void> {
  const names = new Set(samples.map(({ name }) => name));
  const rows = await store.read.selectFrom("buckets").select("name").where("account", "=", sampleAccount).execute();
  for (const { name } of rows) {
    if (names.has(name)) continue;
    await store.write(async (tx) => {
      await tx.deleteFrom("objects").where("bucket", "=", name).execute();
      await tx.deleteFrom("bucket_settings").where("bucket", "=", name).execute();
      await tx.deleteFrom("buckets").where("name", "=", name).execute();
    });
  }
}

const policyOf = (name: string): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: "*",
        Action: ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"],
        Resource: [`arn:aws:s3:::${name}`, `arn:aws:s3:::${name}/*`],
      },
    ],
  });

/** sagemaker-sample-data-us-west-2 lies in us-west-2. */
const regionOf = (name: string): string => /-([a-z]{2}(?:-[a-z]+){1,2}-\d)$/.exec(name)?.[1] ?? "us-west-2";

async function ensureBucket({ name }: SampleBucket, { store, now }: SampleParts): Promise<void> {
  await store.write(async (tx) => {
    const row = {
      name,
      account: sampleAccount,
      region: regionOf(name),
      created_at: now.getTime(),
      versioning: "",
      ownership: "",
    };
    await tx
      .insertInto("buckets")
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const { account } = await tx
      .selectFrom("buckets")
      .select("account")
      .where("name", "=", name)
      .executeTakeFirstOrThrow();
    if (account !== sampleAccount)
      throw new SampleBucketError(
        `the sample bucket ${name} cannot be mounted: account ${account} has a bucket of that name`,
      );
    await saveSetting(tx, name, "policy", policyOf(name), now);
  });
}

async function syncObjects({ name, folder }: SampleBucket, parts: SampleParts): Promise<void> {
  const { store, storage } = parts;
  const known = new Map<string, string>();
  const rows = await store.read.selectFrom("objects").select(["key", "blob_id"]).where("bucket", "=", name).execute();
  for (const { key, blob_id } of rows) known.set(key, blob_id);
  let changed: StoredObject[] = [];
  /** Let go of once no row names them any more. */
  const stale: string[] = [];
  const save = async (): Promise<void> => {
    const objects = changed;
    changed = [];
    if (objects.length > 0) await store.write((tx) => saveAll(tx, objects));
  };
  for await (const found of filesBelow(folder, "", parts)) {
    const digest = digestOf(name, found);
    const blobId = storage.mount(digest, { ...found, modifiedAt: found.modifiedMs });
    const before = known.get(found.key);
    known.delete(found.key);
    if (before === blobId) continue;
    if (before !== undefined) stale.push(before);
    changed.push(objectOf(name, found, digest, blobId));
    if (changed.length === rowsPerTransaction) await save();
  }
  await save();
  for (const blobId of stale) storage.unmount(blobId);
  for (const [key, blobId] of known) {
    await store.write((tx) => tx.deleteFrom("objects").where("bucket", "=", name).where("key", "=", key).execute());
    storage.unmount(blobId);
  }
}

async function saveAll(tx: Writer, objects: readonly StoredObject[]): Promise<void> {
  for (const object of objects) await saveObject(tx, object);
}

interface FoundFile {
  readonly key: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly device: number;
  readonly inode: number;
  readonly modifiedAt: Date;
  readonly modifiedMs: number;
}

/** Regular files alone: a link could lead out of the folder. */
async function* filesBelow(folder: string, prefix: string, parts: SampleParts): AsyncGenerator<FoundFile> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (prefix === "")
      throw new SampleBucketError(`the folder ${folder} of a sample bucket cannot be read`, { cause: error });
    // A folder below it that is gone or closed holds nothing for us.
    parts.log.warn("folder of a sample bucket not read", { folder, error });
    return [];
  });
  for (const entry of entries) {
    const key = `${prefix}${entry.name}`;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path, `${key}/`, parts);
    if (!entry.isFile() || Buffer.byteLength(key) > maxKeyBytes || key.includes("\uFFFD")) continue;
    // Gone since the folder was read.
    const stat = await lstat(path).catch(() => undefined);
    if (stat?.isFile() !== true) continue;
    const { size: sizeBytes, dev: device, ino: inode, mtime: modifiedAt, mtimeMs: modifiedMs } = stat;
    yield { key, path, sizeBytes, device, inode, modifiedAt, modifiedMs };
  }
}

/** Of its place, size and time: reading every file would take as long as reading every file. */
const digestOf = (bucket: string, { key, path, sizeBytes, modifiedAt }: FoundFile): string =>
  createHash("sha256")
    .update(JSON.stringify([bucket, key, path, sizeBytes, modifiedAt.getTime()]))
    .digest("hex")
    .slice(0, 32);

const objectOf = (bucket: string, found: FoundFile, digest: string, blobId: string): StoredObject => ({
  bucket,
  key: found.key,
  blobId,
  sizeBytes: found.sizeBytes,
  // No MD5, and so in the form that promises none.
  eTag: `${digest}-1`,
  modifiedAt: found.modifiedAt,
  attributes: {},
  tags: [],
  versionId: "null",
  sequence: 0,
});
