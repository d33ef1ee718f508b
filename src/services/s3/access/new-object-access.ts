// Who owns an object that is written now, and who else has access to it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
import type { Reader } from "../../../database/store.ts";
import { publicAccessBlockOf } from "../configuration/access-controls.ts";
import { accessDenied } from "../errors.ts";
import type { Bucket } from "../bucket/buckets.ts";
import { grantsOfHeaders, type GrantHeaders } from "./asked-grants.ts";
import { refuseGrants } from "./disabled-lists.ts";
import { hasLists, isPublicGrant, type ListGrant, type ObjectAccess } from "./list-grant.ts";

/** Undefined: the bucket's owner alone. `writer`: the account of who writes. Reads rows only where grants are asked for. */
export async function newObjectAccess(
  reader: Reader,
  bucket: Bucket,
  writer: string,
  input: GrantHeaders,
): Promise<ObjectAccess | undefined> {
  if (!hasLists(bucket)) {
    refuseGrants(input, bucket);
    return undefined;
  }
  const isHandedOver = bucket.ownership === "BucketOwnerPreferred" && input.ACL === "bucket-owner-full-control";
  const owner = isHandedOver ? bucket.account : writer;
  const grants = await grantsOfHeaders(reader, input, { owner, bucketOwner: bucket.account });
  await refuseBlocked(reader, bucket, grants ?? []);
  return grants === undefined && owner === bucket.account ? undefined : { owner, ...(grants && { grants }) };
}

/** Where lists may not open a bucket to everybody: AccessDenied. */
export async function refuseBlocked(reader: Reader, bucket: Bucket, grants: readonly ListGrant[]): Promise<void> {
  if (!grants.some(isPublicGrant)) return;
  const block = await publicAccessBlockOf(reader, bucket.name);
  if (block?.BlockPublicAcls) throw accessDenied();
}
