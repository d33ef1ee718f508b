import type { DeleteMarkerEntry, ObjectVersion } from "../../../models/generated/s3.ts";
import { accessIn } from "../access/list-grant.ts";
import { ownerOf, requireBucket } from "../bucket/buckets.ts";
import { invalidArgument } from "../errors.ts";
import { checkEncodingType, pageLimit } from "../listing/list-answer.ts";
import { encoderFor, type Encoder } from "../listing/url-encoding.ts";
import { quoted } from "../object/objects.ts";
import { operation } from "../s3-context.ts";
import { listVersions, type ListedVersion } from "./list-versions.ts";
import { checkVersionId } from "./version-id.ts";

export const listObjectVersions = operation("ListObjectVersions", async (input, ctx) => {
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  const limit = pageLimit(input.MaxKeys, "max-keys");
  checkEncodingType(input.EncodingType);
  const encode = encoderFor(input.EncodingType);
  const { Prefix: prefix = "", Delimiter: delimiter = "" } = input;
  const page = await listVersions(
    ctx.store.read,
    { bucket: bucket.name, prefix, delimiter, after: marker(input.KeyMarker, input.VersionIdMarker) },
    limit,
  );
  const bucketOwner = ownerOf(bucket);
  const ownerOfVersion = ({ object }: ListedVersion) =>
    object.access === undefined ? bucketOwner : ownerOf({ account: accessIn(bucket, object.access).owner });
  return {
    Name: bucket.name,
    Prefix: encode(prefix),
    Delimiter: encode(delimiter || undefined),
    KeyMarker: encode(input.KeyMarker ?? ""),
    VersionIdMarker: input.VersionIdMarker ?? "",
    NextKeyMarker: encode(page.next?.key),
    NextVersionIdMarker: page.next?.versionId,
    MaxKeys: limit,
    EncodingType: input.EncodingType,
    IsTruncated: page.next !== undefined,
    Versions: page.versions
      .filter((version) => !version.isDeleteMarker)
      .map((version): ObjectVersion => ({
        ...listed(version, encode),
        ...described(version),
        Owner: ownerOfVersion(version),
      })),
    DeleteMarkers: page.versions
      .filter((version) => version.isDeleteMarker)
      .map((version) => ({ ...listed(version, encode), Owner: ownerOfVersion(version) })),
    CommonPrefixes: page.commonPrefixes.map((commonPrefix) => ({ Prefix: encode(commonPrefix) })),
  };
});

function marker(key: string | undefined, versionId: string | undefined) {
  if (!key) {
    if (!versionId) return undefined;
    throw invalidArgument(
      "A version-id marker cannot be specified without a key marker.",
      "version-id-marker",
      versionId,
    );
  }
  checkVersionId(versionId || undefined);
  return { key, versionId: versionId || undefined };
}

const listed = ({ object, isLatest }: ListedVersion, encode: Encoder): DeleteMarkerEntry => ({
  Key: encode(object.key),
  VersionId: object.versionId,
  IsLatest: isLatest,
  LastModified: object.modifiedAt,
});

const described = ({ object }: ListedVersion): ObjectVersion => ({
  ETag: quoted(object.eTag),
  Size: object.sizeBytes,
  StorageClass: (object.attributes.StorageClass ?? "STANDARD") as NonNullable<ObjectVersion["StorageClass"]>,
  ...(object.checksum && { ChecksumAlgorithm: [object.checksum.algorithm], ChecksumType: object.checksum.type }),
});
