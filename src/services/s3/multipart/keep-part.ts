// The moment in which a new blob becomes a part of an upload.
import { AwsError } from "../../../lib/aws-error.ts";
import type { ReceivedBody } from "../object/receive-body.ts";
import type { S3Context } from "../s3-context.ts";
import { requireUpload, savePart, type Upload, type UploadedPart } from "./uploads.ts";

/** Resolves once durable. Rejects, and removes the blob, where the upload is no more. */
export async function keepPart(
  ctx: S3Context,
  upload: Upload,
  number: number,
  { blob, eTag, checksum }: ReceivedBody,
): Promise<UploadedPart> {
  const modifiedAt = ctx.clock.now();
  const part = { number, blobId: blob.id, sizeBytes: blob.sizeBytes, eTag, modifiedAt, checksum };
  try {
    await ctx.store.write(async (tx) => {
      await requireUpload(tx, upload.bucket, upload.key, upload.id);
      await savePart(tx, upload.id, part);
    });
  } catch (error) {
    // As for objects: after any other error the row may be on disk.
    if (error instanceof AwsError) await ctx.storage.remove(blob.id);
    throw error;
  }
  return part;
}
