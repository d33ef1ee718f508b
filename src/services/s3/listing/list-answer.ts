// What both versions of ListObjects share.
import type { CommonPrefix, EncodingType, Object as ListedObject } from "../../../models/generated/s3.ts";
import { accessIn } from "../access/list-grant.ts";
import { ownerOf, type Bucket } from "../bucket/buckets.ts";
import { invalidArgument } from "../errors.ts";
import { quoted, type StoredObject } from "../object/objects.ts";
import type { ListPage } from "./list-keys.ts";
import type { Encoder } from "./url-encoding.ts";

const maxPage = 1000;

/** Larger pages than S3's are cut to its size without a word. */
export function pageLimit(asked: number | undefined, name: string): number {
  if (asked === undefined) return maxPage;
  if (!Number.isInteger(asked) || asked < 0) {
    throw invalidArgument(`Argument ${name} must be an integer between 0 and 2147483647`, name, String(asked));
  }
  return Math.min(asked, maxPage);
}

export function checkEncodingType(encodingType: EncodingType | undefined): void {
  const given: string | undefined = encodingType;
  if (given !== undefined && given !== "url") {
    throw invalidArgument("Invalid Encoding Method specified in Request", "encoding-type", given);
  }
}

export interface ListedPage {
  readonly IsTruncated: boolean;
  readonly Contents: readonly ListedObject[];
  readonly CommonPrefixes: readonly CommonPrefix[];
}

export function listedPage(page: ListPage, bucket: Bucket, encode: Encoder, showsOwner: boolean): ListedPage {
  // One hash for all: nearly every object is the bucket owner's.
  const bucketOwner = ownerOf(bucket);
  const ownerOfObject = ({ access }: StoredObject) =>
    access === undefined ? bucketOwner : ownerOf({ account: accessIn(bucket, access).owner });
  return {
    IsTruncated: page.nextAfter !== undefined,
    Contents: page.objects.map((object) => ({
      ...listed(object, encode),
      ...(showsOwner && { Owner: ownerOfObject(object) }),
    })),
    CommonPrefixes: page.commonPrefixes.map((prefix) => ({ Prefix: encode(prefix) })),
  };
}

const listed = (object: StoredObject, encode: Encoder): ListedObject => ({
  Key: encode(object.key),
  LastModified: object.modifiedAt,
  ETag: quoted(object.eTag),
  Size: object.sizeBytes,
  StorageClass: (object.attributes.StorageClass ?? "STANDARD") as NonNullable<ListedObject["StorageClass"]>,
  ...(object.checksum && { ChecksumAlgorithm: [object.checksum.algorithm], ChecksumType: object.checksum.type }),
});
