// A whole S3 for tests: database in memory, blobs in a temporary folder, a clock that stands still; operations called by name.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { openTestStore } from "../../database/store.fake.ts";
import type { Store } from "../../database/store.ts";
import { FakeClock } from "../../lib/clock.fake.ts";
import { silentLog } from "../../lib/log.ts";
import { systemRandom } from "../../lib/random.ts";
import type { S3Operations } from "../../models/generated/s3.ts";
import { createFilesystemStorage } from "../../storage/filesystem/filesystem-storage.ts";
import type { BlobStorage } from "../../storage/storage.ts";
import { requestContext } from "../request-context.fake.ts";
import type { Webhook } from "./notifications/destinations.ts";
import { createS3, type S3 } from "./index.ts";
import type { BucketDefaults } from "./s3-context.ts";

interface CallOptions {
  readonly account?: string;
  /** Where the caller is of another account than the bucket. */
  readonly callerAccount?: string;
  readonly region?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly trailers?: Promise<Readonly<Record<string, string>>>;
}

type Input<Name extends keyof S3Operations> = Omit<S3Operations[Name]["input"], "Body"> & {
  readonly Body?: string | Uint8Array | Readable;
};
type Output<Name extends keyof S3Operations> = Exclude<S3Operations[Name]["output"], void>;

export interface FakeS3 {
  readonly s3: S3;
  readonly clock: FakeClock;
  readonly store: Store;
  readonly storage: BlobStorage;
  readonly call: <Name extends keyof S3Operations>(
    name: Name,
    input: Input<Name>,
    options?: CallOptions,
  ) => Promise<Output<Name>>;
  /** The bytes of an object. */
  readonly bytes: (bucket: string, key: string) => Promise<Buffer>;
  readonly blobIds: () => Promise<string[]>;
}

export const testAccount = "000000000000";

export interface FakeS3Options {
  /** Stand between S3 and its storage or store, to fail where a test wants it. */
  readonly wrapStorage?: (storage: BlobStorage) => BlobStorage;
  readonly wrapStore?: (store: Store) => Store;
  readonly webhooks?: readonly Webhook[];
  readonly bucketDefaults?: BucketDefaults;
}

export async function createFakeS3(options: FakeS3Options = {}): Promise<FakeS3> {
  const folder = await mkdtemp(join(tmpdir(), "salvia-s3-"));
  const clock = new FakeClock();
  const store = await openTestStore({ clock });
  onTestFinished(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  const storage = await createFilesystemStorage({ folder, random: systemRandom });
  return fakeS3On({ clock, store, storage }, options);
}

/** Another S3 on the same database and blobs, as after a restart. */
export function fakeS3On(
  { clock, store, storage }: Pick<FakeS3, "clock" | "store" | "storage">,
  { wrapStorage, wrapStore, webhooks, bucketDefaults }: FakeS3Options = {},
): FakeS3 {
  const parts = { store: wrapStore?.(store) ?? store, storage: wrapStorage?.(storage) ?? storage };
  const s3 = createS3({ ...parts, clock, random: systemRandom, log: silentLog, webhooks, bucketDefaults });
  const call: FakeS3["call"] = async (name, input, options = {}) => {
    const { Body: body, ...members } = input as { readonly Body?: string | Uint8Array | Readable };
    const given = body === undefined || body instanceof Readable ? body : Readable.from([Buffer.from(body)]);
    const { account = testAccount, callerAccount, region = "us-west-2", headers = {}, trailers } = options;
    const http = { method: "GET", headers, ...(trailers && { trailers }) };
    const requested = { account, callerAccount, region, http };
    const output = await s3.service.handle(
      name,
      { ...members, ...(given && { Body: given }) },
      requestContext({ ...requested, service: "s3", operation: name, store: parts.store, clock, random: systemRandom }),
    );
    return output as Output<typeof name>;
  };
  return {
    s3,
    clock,
    store,
    storage,
    call,
    bytes: async (Bucket, Key) => {
      const { Body } = await call("GetObject", { Bucket, Key });
      return buffer(Body as Readable);
    },
    blobIds: async () => (await Array.fromAsync(storage.list(), (blob) => blob.id)).sort(),
  };
}
