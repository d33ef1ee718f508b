import type { Writer } from "../../../database/store.ts";
import { requireBucket, type Bucket } from "../bucket/buckets.ts";
import { preconditionFailed } from "../errors.ts";
import { recordRemoval, type EventSource } from "../notifications/record-event.ts";
import { operation, type S3Context } from "../s3-context.ts";
import { deleteCurrent, deleteVersion, type Deletion } from "../versions/delete-version.ts";
import { checkVersionId } from "../versions/version-id.ts";
import { findKeptVersion, newestKeptVersion } from "../versions/version-rows.ts";
import { matchesETag } from "./conditions.ts";
import { findObject, type StoredObject } from "./objects.ts";

export const deleteObject = operation("DeleteObject", async (input, ctx) => {
  checkVersionId(input.VersionId);
  const { versionId, isDeleteMarker } = await ctx.store.write(async (tx) => {
    const bucket = await requireBucket(tx, ctx.account, input.Bucket, input.ExpectedBucketOwner);
    const { Key: key, VersionId: asked, IfMatch: eTag, IfMatchSize: sizeBytes } = input;
    const wanted = { key, versionId: asked, eTag, sizeBytes, modifiedAt: input.IfMatchLastModifiedTime };
    return deleteWanted(tx, bucket, wanted, ctx);
  });
  return { VersionId: versionId, ...(isDeleteMarker && { DeleteMarker: true }) };
});

export interface WantedDeletion {
  readonly key: string;
  readonly versionId: string | undefined;
  /** Conditions on what is deleted. */
  readonly eTag: string | undefined;
  readonly sizeBytes: number | undefined;
  readonly modifiedAt: Date | undefined;
}

/**
 * Throws PreconditionFailed, also where a delete marker hides the object. A key that was never there may be deleted under any
 * condition, as it may be without one.
 */
export async function deleteWanted(
  tx: Writer,
  bucket: Bucket,
  wanted: WantedDeletion,
  ctx: Pick<S3Context, "clock" | "random"> & EventSource,
): Promise<Deletion> {
  const { clock, random } = ctx;
  const { key, versionId } = wanted;
  const now = clock.now();
  const current = await findObject(tx, bucket.name, key);
  if (versionId === undefined) {
    if (current) checkDeletion(current, wanted);
    else if (isConditional(wanted) && (await newestKeptVersion(tx, bucket.name, key)))
      throw preconditionFailed("If-Match");
    const deletion = await deleteCurrent(tx, bucket, key, current, { now, random });
    if (current || deletion.isDeleteMarker) await recordRemoval(tx, ctx, bucket, key, deletion, now);
    return deletion;
  }
  const version = current?.versionId === versionId ? current : await findKeptVersion(tx, bucket.name, key, versionId);
  if (version) checkDeletion(version, wanted);
  const deletion = await deleteVersion(tx, bucket, key, versionId, current, now);
  // The removal of a marker is that of a version.
  if (version) await recordRemoval(tx, ctx, bucket, key, { ...deletion, isDeleteMarker: false }, now);
  return deletion;
}

const isConditional = ({ eTag, sizeBytes, modifiedAt }: WantedDeletion): boolean =>
  eTag !== undefined || sizeBytes !== undefined || modifiedAt !== undefined;

function checkDeletion(object: StoredObject, conditions: WantedDeletion): void {
  const { eTag, sizeBytes, modifiedAt } = conditions;
  if (eTag !== undefined && !matchesETag(eTag, object.eTag)) throw preconditionFailed("If-Match");
  if (sizeBytes !== undefined && sizeBytes !== object.sizeBytes) throw preconditionFailed("x-amz-if-match-size");
  // Both with the precision of an HTTP date.
  const isAnotherTime =
    modifiedAt && Math.floor(modifiedAt.getTime() / 1000) !== Math.floor(object.modifiedAt.getTime() / 1000);
  if (isAnotherTime) throw preconditionFailed("x-amz-if-match-last-modified-time");
}
