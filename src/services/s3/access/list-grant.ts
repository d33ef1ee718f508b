// Access control lists as they are stored, and as they are shown.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
import type { Grant, Owner } from "../../../models/generated/s3.ts";
import type { ListGrant } from "../../iam/index.ts";
import { ownerOf, type Bucket } from "../bucket/buckets.ts";

export type { ListGrant } from "../../iam/index.ts";

/** Of an object whose owner or whose list is not what the bucket's owner has anyway. */
export interface ObjectAccess {
  /** Account. */
  readonly owner: string;
  /** Undefined: the owner has everything. */
  readonly grants?: readonly ListGrant[] | undefined;
}

const groupUris: ReadonlyMap<string, string> = new Map([
  ["AllUsers", "http://acs.amazonaws.com/groups/global/AllUsers"],
  ["AuthenticatedUsers", "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"],
  ["LogDelivery", "http://acs.amazonaws.com/groups/s3/LogDelivery"],
]);

/** Undefined: AWS has no such group. */
export const groupOf = (uri: string): string | undefined =>
  [...groupUris].find(([, known]) => known === uri.replace(/^https:/, "http:"))?.[0];

export const isPublicGrant = ({ to }: ListGrant): boolean => to === "AllUsers" || to === "AuthenticatedUsers";

/** Buckets whose lists have an effect. */
export const hasLists = ({ ownership }: Pick<Bucket, "ownership">): boolean => ownership !== "BucketOwnerEnforced";

export const allTo = (account: string): ListGrant => ({ to: account, permission: "FULL_CONTROL" });

/** What stands for the owner and the list of an object that has none of its own. */
export const accessIn = (bucket: Bucket, access: ObjectAccess | undefined): ObjectAccess =>
  access === undefined || !hasLists(bucket) ? { owner: bucket.account } : access;

export interface ShownList {
  readonly Owner: Owner;
  readonly Grants: readonly Grant[];
}

export function shownList({ owner, grants = [allTo(owner)] }: ObjectAccess): ShownList {
  return {
    Owner: ownerOf({ account: owner }),
    Grants: grants.map(({ to, permission: Permission }) => {
      const URI = groupUris.get(to);
      const Grantee: Grant["Grantee"] =
        URI === undefined ? { ...ownerOf({ account: to }), Type: "CanonicalUser" } : { Type: "Group", URI };
      return { Grantee, Permission };
    }),
  };
}
