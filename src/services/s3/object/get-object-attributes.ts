import type { GetObjectAttributesParts, GetObjectAttributesRequest } from "../../../models/generated/s3.ts";
import { requireBucket } from "../bucket/buckets.ts";
import { checksumMembers, partChecksumMembers } from "../checksums/checksum.ts";
import { operation } from "../s3-context.ts";
import { requireVersion } from "../versions/require-version.ts";
import { shownVersion } from "../versions/version-id.ts";
import { refuseCustomerKey } from "./describe-object.ts";
import type { StoredObject } from "./objects.ts";

const maxPartsPerPage = 1000;

export const getObjectAttributes = operation("GetObjectAttributes", async (input, ctx) => {
  refuseCustomerKey(input.SSECustomerAlgorithm);
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  const object = await requireVersion(ctx.store.read, bucket, input.Key, input.VersionId);
  const wanted = new Set(input.ObjectAttributes);
  return {
    LastModified: object.modifiedAt,
    ...shownVersion(bucket, object),
    // The one place where S3 gives an ETag without quotes.
    ...(wanted.has("ETag") && { ETag: object.eTag }),
    ...(wanted.has("Checksum") && object.checksum && { Checksum: checksumMembers(object.checksum) }),
    ...(wanted.has("ObjectParts") && object.parts && { ObjectParts: partsPage(object.parts, input) }),
    ...(wanted.has("StorageClass") && { StorageClass: object.attributes.StorageClass ?? "STANDARD" }),
    ...(wanted.has("ObjectSize") && { ObjectSize: object.sizeBytes }),
  };
});

function partsPage(
  parts: NonNullable<StoredObject["parts"]>,
  { PartNumberMarker = 0, MaxParts = maxPartsPerPage }: GetObjectAttributesRequest,
): GetObjectAttributesParts {
  const limit = Math.min(MaxParts, maxPartsPerPage);
  const following = parts.filter((part) => part.number > PartNumberMarker);
  const page = following.slice(0, limit);
  return {
    TotalPartsCount: parts.length,
    PartNumberMarker,
    NextPartNumberMarker: page.at(-1)?.number ?? 0,
    MaxParts: limit,
    IsTruncated: following.length > page.length,
    // Parts are only told apart where they have checksums.
    ...(parts.some((part) => part.checksum) && {
      Parts: page.map((part) => ({
        PartNumber: part.number,
        Size: part.sizeBytes,
        ...partChecksumMembers(part.checksum),
      })),
    }),
  };
}
