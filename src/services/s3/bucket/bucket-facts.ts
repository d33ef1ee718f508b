// What the authoriser asks about a bucket.
import type { Reader } from "../../../database/store.ts";
import type { ListGrant } from "../../iam/index.ts";
import { hasLists } from "../access/list-grant.ts";
import { publicAccessBlockOf } from "../configuration/access-controls.ts";
import { bucketPolicyOf } from "./bucket-policy.ts";
import { findBucket } from "./buckets.ts";
import { isPublic } from "./public-policy.ts";

export interface BucketFacts {
  readonly account: string;
  /** The document; undefined: there is none. */
  readonly policy: string | undefined;
  /** Its owner has shut out other accounts, since the policy is open to everyone (RestrictPublicBuckets). */
  readonly isRestricted: boolean;
  /** Undefined: lists are disabled. */
  readonly lists: { readonly grants: readonly ListGrant[]; readonly ignoresPublic: boolean } | undefined;
}

/** Undefined: there is no such bucket. */
export async function bucketFacts(reader: Reader, name: string): Promise<BucketFacts | undefined> {
  const bucket = await findBucket(reader, name);
  if (!bucket) return undefined;
  const policy = await bucketPolicyOf(reader, name);
  const withLists = hasLists(bucket);
  const block = policy === undefined && !withLists ? undefined : await publicAccessBlockOf(reader, name);
  const isRestricted = policy !== undefined && block?.RestrictPublicBuckets === true && isPublic(policy);
  const lists = withLists
    ? { grants: bucket.grants ?? [], ignoresPublic: block?.IgnorePublicAcls === true }
    : undefined;
  return { account: bucket.account, policy, isRestricted, lists };
}
