// What S3's access control lists have to say in a decision: which permission of a list allows which action.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#permissions
import type { Principal } from "./evaluate.ts";
import type { NeededAccess } from "./operation-call.ts";

export interface ListGrant {
  /** An account, or a group of everybody: AllUsers, AuthenticatedUsers; LogDelivery, which nobody is in. */
  readonly to: string;
  readonly permission: "FULL_CONTROL" | "READ" | "WRITE" | "READ_ACP" | "WRITE_ACP";
}

export type ListPermission = ListGrant["permission"];

/** Of the object's own list. */
const onObject: Readonly<Record<string, ListPermission>> = {
  "s3:GetObject": "READ",
  "s3:GetObjectVersion": "READ",
  "s3:GetObjectAcl": "READ_ACP",
  "s3:GetObjectVersionAcl": "READ_ACP",
  "s3:PutObjectAcl": "WRITE_ACP",
  "s3:PutObjectVersionAcl": "WRITE_ACP",
};

/** Of the bucket's list. */
const onBucket: Readonly<Record<string, ListPermission>> = {
  "s3:ListBucket": "READ",
  "s3:ListBucketVersions": "READ",
  "s3:ListBucketMultipartUploads": "READ",
  "s3:PutObject": "WRITE",
  "s3:DeleteObject": "WRITE",
  "s3:AbortMultipartUpload": "WRITE",
  "s3:ListMultipartUploadParts": "WRITE",
  "s3:GetBucketAcl": "READ_ACP",
  "s3:PutBucketAcl": "WRITE_ACP",
};

/** How a list names whom it grants to: a group of everybody, or the account, whose own policies still decide who in it may. */
export type ListNaming = "anyone" | "account";

export const permissionOnObject = ({ action, isOfNewObject }: NeededAccess): ListPermission | undefined =>
  isOfNewObject ? undefined : onObject[action];

export const permissionOnBucket = ({ action }: NeededAccess): ListPermission | undefined => onBucket[action];

/**
 * Whom a bucket's owner lets write objects, may say who else has access to them: the owner's policies ask that with conditions on
 * s3:PutObject (s3:x-amz-acl). The writer's own policies must allow s3:PutObjectAcl nevertheless.
 */
export const isListOfNewObject = ({ action, isOfNewObject }: NeededAccess): boolean =>
  isOfNewObject === true && action === "s3:PutObjectAcl";

export function grantedBy(
  grants: readonly ListGrant[],
  wanted: ListPermission,
  { account }: Principal,
  ignoresPublic: boolean,
): ListNaming | undefined {
  let best: ListNaming | undefined;
  for (const { to, permission } of grants) {
    if (permission !== wanted && permission !== "FULL_CONTROL") continue;
    const isEverybody = to === "AllUsers" || (to === "AuthenticatedUsers" && account !== undefined);
    if (isEverybody && !ignoresPublic) return "anyone";
    if (account !== undefined && to === account) best = "account";
  }
  return best;
}
