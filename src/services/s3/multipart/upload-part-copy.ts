import { AwsError } from "../../../lib/aws-error.ts";
import { requireBucket } from "../bucket/buckets.ts";
import { partChecksumMembers } from "../checksums/checksum.ts";
import { invalidArgument } from "../errors.ts";
import type { ByteRange } from "../object/byte-range.ts";
import { sourceObject } from "../object/copy-source.ts";
import { refuseCustomerKey } from "../object/describe-object.ts";
import { quoted } from "../object/objects.ts";
import { storeChecked } from "../object/receive-body.ts";
import { shownVersion } from "../versions/version-id.ts";
import { operation } from "../s3-context.ts";
import { keepPart } from "./keep-part.ts";
import { checkPartNumber, requireUpload } from "./uploads.ts";

export const uploadPartCopy = operation("UploadPartCopy", async (input, ctx) => {
  refuseCustomerKey(input.SSECustomerAlgorithm ?? input.CopySourceSSECustomerAlgorithm);
  checkPartNumber(input.PartNumber);
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  const upload = await requireUpload(ctx.store.read, bucket.name, input.Key, input.UploadId);
  const { bucket: from, object: source } = await sourceObject(input, ctx);
  const bytes = await ctx.storage.read(source.blobId, copiedRange(input.CopySourceRange, source.sizeBytes));
  const received = await storeChecked(ctx, bytes, {
    sizeBytes: undefined,
    md5: undefined,
    checksum: upload.checksum && { algorithm: upload.checksum.algorithm, value: async () => undefined },
  });
  const part = await keepPart(ctx, upload, input.PartNumber, received);
  return {
    CopyPartResult: {
      ETag: quoted(part.eTag),
      LastModified: part.modifiedAt,
      ...partChecksumMembers(part.checksum),
    },
    CopySourceVersionId: shownVersion(from, source).VersionId,
  };
});

/** Unlike Range it must be whole and lie inside the source. */
function copiedRange(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(header) ?? [];
  if (first === undefined || last === undefined || Number(first) > Number(last)) {
    throw invalidArgument(
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
      "x-amz-copy-source-range",
      header,
    );
  }
  if (Number(last) >= sizeBytes) {
    throw new AwsError("InvalidRange", `Range specified is not valid for source object of size: ${sizeBytes}`, {
      fields: { RangeRequested: header, ActualObjectSize: sizeBytes },
    });
  }
  return { start: Number(first), end: Number(last) };
}
