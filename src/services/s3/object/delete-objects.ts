import type { Writer } from "../../../database/store.ts";
import type { DeletedObject, Error as DeletionError, ObjectIdentifier } from "../../../models/generated/s3.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import { requireBucket } from "../bucket/buckets.ts";
import { malformedXml } from "../errors.ts";
import { operation } from "../s3-context.ts";
import { checkDeletion } from "./delete-object.ts";
import { refuseVersion } from "./describe-object.ts";
import { deleteObjectRow, findObject } from "./objects.ts";

const maxObjects = 1000;

/** All in one transaction; a key that cannot be deleted does not hold up the others. */
export const deleteObjects = operation("DeleteObjects", async (input, ctx) => {
  const { Objects: identifiers, Quiet } = input.Delete;
  if (identifiers.length === 0 || identifiers.length > maxObjects) throw malformedXml();
  const results = await ctx.store.write(async (tx) => {
    const bucket = await requireBucket(tx, ctx.account, input.Bucket, input.ExpectedBucketOwner);
    const results: Result[] = [];
    for (const identifier of identifiers) results.push(await deleteOne(tx, bucket.name, identifier, ctx.clock.now()));
    return results;
  });
  const Deleted = results.flatMap((result) => ("deleted" in result ? [result.deleted] : []));
  const Errors = results.flatMap((result) => ("error" in result ? [result.error] : []));
  return { ...(!Quiet && { Deleted }), Errors };
});

type Result = { readonly deleted: DeletedObject } | { readonly error: DeletionError };

async function deleteOne(tx: Writer, bucket: string, identifier: ObjectIdentifier, now: Date): Promise<Result> {
  const { Key, VersionId } = identifier;
  try {
    refuseVersion(VersionId);
    const object = await findObject(tx, bucket, Key);
    if (object) {
      const { ETag, Size, LastModifiedTime } = identifier;
      checkDeletion(object, { eTag: ETag, sizeBytes: Size, modifiedAt: LastModifiedTime });
      await deleteObjectRow(tx, object, now);
    }
    return { deleted: { Key, ...(VersionId !== undefined && { VersionId }) } };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return { error: { Key, VersionId, Code: error.code, Message: error.message } };
  }
}
