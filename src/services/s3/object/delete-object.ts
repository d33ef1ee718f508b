import { requireBucket } from "../bucket/buckets.ts";
import { operation } from "../s3-context.ts";
import { preconditionFailed } from "../errors.ts";
import { matchesETag } from "./conditions.ts";
import { refuseVersion } from "./describe-object.ts";
import { deleteObjectRow, findObject, type StoredObject } from "./objects.ts";

export const deleteObject = operation("DeleteObject", async (input, ctx) => {
  refuseVersion(input.VersionId);
  await ctx.store.write(async (tx) => {
    const bucket = await requireBucket(tx, ctx.account, input.Bucket, input.ExpectedBucketOwner);
    // What is not there may be deleted under any condition, as it may be without one.
    const object = await findObject(tx, bucket.name, input.Key);
    if (!object) return;
    checkDeletion(object, {
      eTag: input.IfMatch,
      sizeBytes: input.IfMatchSize,
      modifiedAt: input.IfMatchLastModifiedTime,
    });
    await deleteObjectRow(tx, object, ctx.clock.now());
  });
  return {};
});

export interface DeletionConditions {
  readonly eTag: string | undefined;
  readonly sizeBytes: number | undefined;
  readonly modifiedAt: Date | undefined;
}

/** Throws PreconditionFailed. */
export function checkDeletion(object: StoredObject, conditions: DeletionConditions): void {
  const { eTag, sizeBytes, modifiedAt } = conditions;
  if (eTag !== undefined && !matchesETag(eTag, object.eTag)) throw preconditionFailed("If-Match");
  if (sizeBytes !== undefined && sizeBytes !== object.sizeBytes) throw preconditionFailed("x-amz-if-match-size");
  // Both with the precision of an HTTP date.
  const isAnotherTime =
    modifiedAt && Math.floor(modifiedAt.getTime() / 1000) !== Math.floor(object.modifiedAt.getTime() / 1000);
  if (isAnotherTime) throw preconditionFailed("x-amz-if-match-last-modified-time");
}
