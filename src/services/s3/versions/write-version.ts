// What a write does to the versions before it, by the bucket's versioning:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/manage-objects-versioned-bucket.html
import type { Writer } from "../../../database/store.ts";
import type { Random } from "../../../lib/random.ts";
import type { Bucket } from "../bucket/buckets.ts";
import { discardBlob, nullVersion, saveObject, type NewObject, type StoredObject } from "../object/objects.ts";
import { newVersionId } from "./version-id.ts";
import {
  findKeptVersion,
  keepSuperseded,
  newestKeptVersion,
  removeKeptVersion,
  supersedeMarker,
} from "./version-rows.ts";

/** Makes the object the newest version of its key. `existing`: the current object, found by the same transaction. */
export async function writeVersion(
  tx: Writer,
  { versioning }: Bucket,
  object: NewObject,
  existing: StoredObject | undefined,
  random: Random,
): Promise<StoredObject> {
  const sequence = versioning === undefined ? 0 : await supersedeNewest(tx, object, existing, versioning);
  if (versioning === undefined && existing) await discardBlob(tx, existing.blobId, object.modifiedAt);
  const versionId = versioning === "Enabled" ? newVersionId(random) : nullVersion;
  const written = { ...object, versionId, sequence };
  await saveObject(tx, written);
  return written;
}

/**
 * Makes way for a newer version in a bucket with versioning, and answers its sequence. Where versioning is suspended the newer
 * one will be called "null", so the one that had this name goes.
 */
export async function supersedeNewest(
  tx: Writer,
  { bucket, key, modifiedAt }: Pick<NewObject, "bucket" | "key" | "modifiedAt">,
  existing: StoredObject | undefined,
  versioning: "Enabled" | "Suspended",
): Promise<number> {
  const before = existing ?? (await newestKeptVersion(tx, bucket, key));
  if (existing) {
    const isReplaced = versioning === "Suspended" && existing.versionId === nullVersion;
    if (isReplaced) await discardBlob(tx, existing.blobId, modifiedAt);
    else await keepSuperseded(tx, existing, modifiedAt);
  } else if (before) {
    await supersedeMarker(tx, before, modifiedAt);
  }
  if (versioning === "Suspended" && existing?.versionId !== nullVersion) {
    const named = await findKeptVersion(tx, bucket, key, nullVersion);
    if (named) await removeKeptVersion(tx, named, modifiedAt);
  }
  return before ? before.sequence + 1 : 0;
}
