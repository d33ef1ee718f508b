import type { Writer } from "../../../database/store.ts";
import type { DeletedObject, Error as DeletionError, ObjectIdentifier } from "../../../models/generated/s3.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import { requireBucket, type Bucket } from "../bucket/buckets.ts";
import { malformedXml } from "../errors.ts";
import { operation, type S3Context } from "../s3-context.ts";
import type { Deletion } from "../versions/delete-version.ts";
import { checkVersionId } from "../versions/version-id.ts";
import { deleteWanted } from "./delete-object.ts";

const maxObjects = 1000;

/** All in one transaction; a key that cannot be deleted does not hold up the others. */
export const deleteObjects = operation("DeleteObjects", async (input, ctx) => {
  const { Objects: identifiers, Quiet } = input.Delete;
  if (identifiers.length === 0 || identifiers.length > maxObjects) throw malformedXml();
  const results = await ctx.store.write(async (tx) => {
    const bucket = await requireBucket(tx, ctx.account, input.Bucket, input.ExpectedBucketOwner);
    const results: Result[] = [];
    for (const [at, identifier] of identifiers.entries())
      results.push(await deleteOne(tx, bucket, identifier, ctx, ctx.refusals?.[at]));
    return results;
  });
  const Deleted = results.flatMap((result) => ("deleted" in result ? [result.deleted] : []));
  const Errors = results.flatMap((result) => ("error" in result ? [result.error] : []));
  return { ...(!Quiet && { Deleted }), Errors };
});

type Result = { readonly deleted: DeletedObject } | { readonly error: DeletionError };

async function deleteOne(
  tx: Writer,
  bucket: Bucket,
  identifier: ObjectIdentifier,
  ctx: S3Context,
  refusal: AwsError | undefined,
): Promise<Result> {
  const { Key: key, VersionId: versionId, ETag: eTag, Size: sizeBytes, LastModifiedTime: modifiedAt } = identifier;
  try {
    if (refusal) throw refusal;
    checkVersionId(versionId);
    const deletion = await deleteWanted(tx, bucket, { key, versionId, eTag, sizeBytes, modifiedAt }, ctx);
    return { deleted: told(identifier, deletion) };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return { error: { Key: key, VersionId: versionId, Code: error.code, Message: error.message } };
  }
}

/** VersionId is what was asked for, DeleteMarkerVersionId the marker that was made or went. */
const told = ({ Key, VersionId }: ObjectIdentifier, { versionId, isDeleteMarker }: Deletion): DeletedObject => ({
  Key,
  VersionId,
  ...(isDeleteMarker && { DeleteMarker: true, DeleteMarkerVersionId: versionId }),
});
