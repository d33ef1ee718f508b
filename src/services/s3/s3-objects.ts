// How other services use objects: by account, without requests.
import type { Readable } from "node:stream";
import type { Clock } from "../../lib/clock.ts";
import type { Store } from "../../database/store.ts";
import type { BlobStorage } from "../../storage/storage.ts";
import { findBucket, requireBucket } from "./bucket/buckets.ts";
import type { HashingThread } from "./checksums/hashing-thread.ts";
import { noSuchKey } from "./errors.ts";
import { listKeys } from "./listing/list-keys.ts";
import { attributesFrom, checkKey, defaultContentType } from "./object/object-attributes.ts";
import { findObject, type StoredObject } from "./object/objects.ts";
import { storeChecked } from "./object/receive-body.ts";
import { switchObject } from "./object/switch-object.ts";
import type { Destinations } from "./notifications/destinations.ts";
import { requireVersion } from "./versions/require-version.ts";
import type { Random } from "../../lib/random.ts";

export interface ObjectInfo {
  readonly bucket: string;
  readonly key: string;
  readonly sizeBytes: number;
  /** Without quotes. */
  readonly eTag: string;
  /** This version's bytes, which never change. */
  readonly blobId: string;
  readonly contentType: string;
  readonly modifiedAt: Date;
}

/**
 * Every method that names an account rejects with AwsError NoSuchBucket, or AccessDenied where the bucket is another
 * account's.
 */
export interface S3Objects {
  /** The account that owns the bucket; undefined: there is no such bucket. */
  bucketOwner(bucket: string): Promise<string | undefined>;
  head(account: string, bucket: string, key: string): Promise<ObjectInfo | undefined>;
  /** All objects whose key starts with `prefix`, in the order of keys; pages inside, so memory stays small. */
  list(account: string, bucket: string, prefix: string): AsyncIterable<ObjectInfo>;
  /** Bytes [start, end], inclusive, of the current object (NoSuchKey), or of the very version an ObjectInfo speaks of. */
  read(
    account: string,
    object: ObjectInfo | ObjectName,
    range?: { readonly start: number; readonly end: number },
  ): Promise<Readable>;
  /** Resolves once durable. */
  put(
    account: string,
    bucket: string,
    key: string,
    body: AsyncIterable<Uint8Array>,
    options?: PutOptions,
  ): Promise<ObjectInfo>;
  /** The object's bytes as a file that must never be changed or linked to; undefined where storage is remote. */
  localPath(object: ObjectInfo): string | undefined;
  /** Keeps these versions, also when they are replaced or deleted, until the owner unpins. NoSuchKey: one is gone already. */
  pin(owner: string, objects: readonly ObjectInfo[]): Promise<void>;
  /** Lets go of everything the owner pinned. */
  unpin(owner: string): Promise<void>;
}

interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

interface PutOptions {
  readonly contentType?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

const pageSize = 1000;

export interface S3ObjectsParts {
  readonly store: Store;
  readonly storage: BlobStorage;
  readonly hashing: HashingThread;
  readonly clock: Clock;
  readonly random: Random;
  readonly destinations: Destinations;
}

const infoOf = (object: StoredObject): ObjectInfo => ({
  bucket: object.bucket,
  key: object.key,
  sizeBytes: object.sizeBytes,
  eTag: object.eTag,
  blobId: object.blobId,
  contentType: object.attributes.ContentType ?? defaultContentType,
  modifiedAt: object.modifiedAt,
});

export function createS3Objects({ store, storage, hashing, clock, random, destinations }: S3ObjectsParts): S3Objects {
  return {
    bucketOwner: async (bucket) => (await findBucket(store.read, bucket))?.account,
    head: async (account, bucket, key) => {
      await requireBucket(store.read, account, bucket);
      const object = await findObject(store.read, bucket, key);
      return object && infoOf(object);
    },
    list: (account, bucket, prefix) => listAll(store, account, bucket, prefix),
    read: async (account, object, range) => {
      const bucket = await requireBucket(store.read, account, object.bucket);
      const { blobId } = "blobId" in object ? object : await requireVersion(store.read, bucket, object.key, undefined);
      return storage.read(blobId, range);
    },
    put: async (account, bucket, key, body, options = {}) => {
      checkKey(key);
      const attributes = attributesFrom({ ContentType: options.contentType, Metadata: options.metadata });
      await requireBucket(store.read, account, bucket);
      const received = await storeChecked({ storage, hashing }, body, {
        sizeBytes: undefined,
        md5: undefined,
        checksum: undefined,
      });
      const object = {
        bucket,
        key,
        blobId: received.blob.id,
        sizeBytes: received.blob.sizeBytes,
        eTag: received.eTag,
        modifiedAt: clock.now(),
        attributes,
        tags: [],
      };
      const placed = await switchObject({ store, storage, random, account, destinations }, object);
      return infoOf(placed.object);
    },
    localPath: (object) => storage.localPath(object.blobId),
    pin: (owner, objects) => pin(store, owner, objects),
    unpin: async (owner) => {
      await store.write((tx) => tx.deleteFrom("object_pins").where("owner", "=", owner).execute());
    },
  };
}

async function* listAll(store: Store, account: string, bucket: string, prefix: string): AsyncGenerator<ObjectInfo> {
  await requireBucket(store.read, account, bucket);
  let after: string | undefined;
  do {
    const page = await listKeys(store.read, { bucket, prefix, delimiter: "", after }, pageSize);
    yield* page.objects.map(infoOf);
    after = page.nextAfter;
  } while (after !== undefined);
}

async function pin(store: Store, owner: string, objects: readonly ObjectInfo[]): Promise<void> {
  await store.write(async (tx) => {
    for (const { blobId, key } of objects) {
      // Garbage can still be saved: the collector claims it in a transaction of its own.
      const row =
        (await tx.selectFrom("objects").select("blob_id").where("blob_id", "=", blobId).limit(1).executeTakeFirst()) ??
        (await tx
          .selectFrom("object_versions")
          .select("blob_id")
          .where("blob_id", "=", blobId)
          .limit(1)
          .executeTakeFirst()) ??
        (await tx.selectFrom("object_garbage").select("blob_id").where("blob_id", "=", blobId).executeTakeFirst());
      if (!row) throw noSuchKey(key);
      await tx
        .insertInto("object_pins")
        .values({ blob_id: blobId, owner })
        .onConflict((conflict) => conflict.columns(["blob_id", "owner"]).doNothing())
        .execute();
    }
  });
}
