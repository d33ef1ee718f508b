import { accessIn } from "../access/list-grant.ts";
import { ownerOf, requireBucket } from "../bucket/buckets.ts";
import { partChecksumMembers } from "../checksums/checksum.ts";
import { pageLimit } from "../listing/list-answer.ts";
import { quoted } from "../object/objects.ts";
import { operation } from "../s3-context.ts";
import { initiatorOf, partsOf, requireUpload } from "./uploads.ts";

export const listParts = operation("ListParts", async (input, ctx) => {
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  const upload = await requireUpload(ctx.store.read, bucket.name, input.Key, input.UploadId);
  const limit = pageLimit(input.MaxParts, "max-parts");
  const after = input.PartNumberMarker ?? 0;
  const following = await partsOf(ctx.store.read, upload.id, after, limit + 1);
  const parts = following.slice(0, limit);
  return {
    Bucket: bucket.name,
    Key: upload.key,
    UploadId: upload.id,
    PartNumberMarker: after,
    NextPartNumberMarker: parts.at(-1)?.number ?? 0,
    MaxParts: limit,
    IsTruncated: limit > 0 && following.length > limit,
    Parts: parts.map((part) => ({
      PartNumber: part.number,
      LastModified: part.modifiedAt,
      ETag: quoted(part.eTag),
      Size: part.sizeBytes,
      ...partChecksumMembers(part.checksum),
    })),
    Initiator: initiatorOf(upload),
    Owner: ownerOf({ account: accessIn(bucket, upload.access).owner }),
    StorageClass: upload.attributes.StorageClass ?? "STANDARD",
    ChecksumAlgorithm: upload.checksum?.algorithm,
    ChecksumType: upload.checksum?.type,
  };
});
