// Access control lists in one decision: whose the resource is, and what its list says to the principal. Only in buckets that have
// lists, which new ones have not. https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-auth-workflow-object-operation.html
import type { Principal } from "./evaluate.ts";
import { grantedBy, permissionOnBucket, permissionOnObject, type ListGrant, type ListNaming } from "./list-grants.ts";
import type { NeededAccess } from "./operation-call.ts";

export interface BucketLists {
  readonly grants: readonly ListGrant[];
  /** Of objects' lists too: what they grant to everybody counts for nothing (IgnorePublicAcls). */
  readonly ignoresPublic: boolean;
}

export interface ListedObject {
  /** Account. */
  readonly owner: string;
  readonly grants: readonly ListGrant[];
}

export type FindListedObject = (bucket: string, key: string, versionId?: string) => Promise<ListedObject | undefined>;

export const hasObjectList = (access: NeededAccess): boolean => permissionOnObject(access) !== undefined;

export async function listAccess(
  access: NeededAccess,
  principal: Principal,
  { grants, ignoresPublic }: BucketLists,
  bucketOwner: string,
  find: FindListedObject,
): Promise<{ readonly owner: string; readonly listed: ListNaming | undefined }> {
  const { bucket, key, keys } = access;
  const onObject = permissionOnObject(access);
  if (onObject === undefined || bucket === undefined || key === undefined) {
    const wanted = permissionOnBucket(access);
    const listed = wanted === undefined ? undefined : grantedBy(grants, wanted, principal, ignoresPublic);
    return { owner: bucketOwner, listed };
  }
  const object = await find(bucket, key, keys["s3:versionid"]?.[0]);
  // That there is no such object may be told to those who may list the bucket.
  if (!object) return { owner: bucketOwner, listed: grantedBy(grants, "READ", principal, ignoresPublic) };
  return { owner: object.owner, listed: grantedBy(object.grants, onObject, principal, ignoresPublic) };
}
