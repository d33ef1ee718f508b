// Deletion: of the current object, which in a bucket with versioning leaves a delete marker; or of one version, for good.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html
import type { Writer } from "../../../database/store.ts";
import type { Random } from "../../../lib/random.ts";
import type { Bucket } from "../bucket/buckets.ts";
import { discardBlob, nullVersion, type StoredObject } from "../object/objects.ts";
import { newVersionId } from "./version-id.ts";
import { findKeptVersion, promoteNewest, removeKeptVersion, saveMarker } from "./version-rows.ts";
import { supersedeNewest } from "./write-version.ts";

export interface Deletion {
  /** The version that went for good, or the delete marker that was made; undefined where the bucket has no versions. */
  readonly versionId: string | undefined;
  /** A delete marker was made, or went. */
  readonly isDeleteMarker: boolean;
}

async function deleteRow(tx: Writer, { bucket, key }: Pick<StoredObject, "bucket" | "key">): Promise<void> {
  await tx.deleteFrom("objects").where("bucket", "=", bucket).where("key", "=", key).execute();
}

/** `existing`: the current object, found by the same transaction. */
export async function deleteCurrent(
  tx: Writer,
  { name: bucket, versioning }: Bucket,
  key: string,
  existing: StoredObject | undefined,
  { now, random }: { readonly now: Date; readonly random: Random },
): Promise<Deletion> {
  if (versioning === undefined) {
    if (existing) {
      await deleteRow(tx, existing);
      await discardBlob(tx, existing.blobId, now);
    }
    return { versionId: undefined, isDeleteMarker: false };
  }
  const sequence = await supersedeNewest(tx, { bucket, key, modifiedAt: now }, existing, versioning);
  if (existing) await deleteRow(tx, existing);
  const versionId = versioning === "Enabled" ? newVersionId(random) : nullVersion;
  await saveMarker(tx, { bucket, key, versionId, sequence }, now);
  return { versionId, isDeleteMarker: true };
}

/** A version that is not there is deleted as well. */
export async function deleteVersion(
  tx: Writer,
  { name: bucket }: Bucket,
  key: string,
  versionId: string,
  existing: StoredObject | undefined,
  now: Date,
): Promise<Deletion> {
  if (existing?.versionId === versionId) {
    await deleteRow(tx, existing);
    await discardBlob(tx, existing.blobId, now);
    await promoteNewest(tx, bucket, key);
    return { versionId, isDeleteMarker: false };
  }
  const kept = await findKeptVersion(tx, bucket, key, versionId);
  if (!kept) return { versionId, isDeleteMarker: false };
  await removeKeptVersion(tx, kept, now);
  if (kept.supersededAt === undefined) await promoteNewest(tx, bucket, key);
  return { versionId, isDeleteMarker: kept.isDeleteMarker };
}
