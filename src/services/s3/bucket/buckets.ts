// Rows of buckets, and the check that a caller may use one.
import { createHash } from "node:crypto";
import { prepared } from "../../../database/prepared.ts";
import type { Reader } from "../../../database/store.ts";
import type { BucketsTable } from "../../../database/tables/objects.ts";
import type { ListGrant } from "../access/list-grant.ts";
import { accessDenied, noSuchBucket } from "../errors.ts";

export interface Bucket {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly createdAt: Date;
  /** Undefined: never was on, and all versions are "null". */
  readonly versioning: "Enabled" | "Suspended" | undefined;
  readonly ownership: Ownership;
  /** Undefined: the owner has everything, nobody else anything. Of no effect where ownership is BucketOwnerEnforced. */
  readonly grants: readonly ListGrant[] | undefined;
}

/** "None": the bucket has no rule, and whoever writes an object owns it. */
export type Ownership = "BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter" | "None";

const ownershipOf = ({ ownership }: BucketsTable): Ownership =>
  ownership === "BucketOwnerPreferred" || ownership === "ObjectWriter" || ownership === "None"
    ? ownership
    : "BucketOwnerEnforced";

/** What the row holds: "" is what nearly all buckets have. */
export const ownershipColumn = (ownership: Ownership): string => (ownership === "BucketOwnerEnforced" ? "" : ownership);

export const bucketOf = (row: BucketsTable): Bucket => ({
  name: row.name,
  account: row.account,
  region: row.region,
  createdAt: new Date(row.created_at),
  versioning: row.versioning === "Enabled" || row.versioning === "Suspended" ? row.versioning : undefined,
  ownership: ownershipOf(row),
  // Our own JSON, written by PutBucketAcl.
  grants: row.grants === null ? undefined : (JSON.parse(row.grants) as readonly ListGrant[]),
});

const byName = prepared<BucketsTable>((reader) => reader.selectFrom("buckets").selectAll().where("name", "=", ""));

export async function findBucket(reader: Reader, name: string): Promise<Bucket | undefined> {
  const [row] = await byName(reader, [name]);
  return row && bucketOf(row);
}

/** The bucket, if it is there, belongs to the account, and to the owner that the caller expects. */
export async function requireBucket(
  reader: Reader,
  account: string,
  name: string,
  expectedOwner?: string,
): Promise<Bucket> {
  const bucket = await findBucket(reader, name);
  if (!bucket) throw noSuchBucket(name);
  if (bucket.account !== account) throw accessDenied();
  if (expectedOwner !== undefined && expectedOwner !== bucket.account) throw accessDenied();
  return bucket;
}

/** The account of whoever signs nothing, as callers carry it. */
export const anonymousAccount = "anonymous";

/** S3 names owners by 64 hexadecimal digits, not by account; that of the anonymous user is AWS's. */
export const canonicalUserId = (account: string): string =>
  account === anonymousAccount
    ? "65a011a29cdf8ec533ec3d1ccaae921c"
    : createHash("sha256").update(`canonical user of ${account}`).digest("hex");

/** How answers name the owner of a bucket and of what lies in it. */
export const ownerOf = ({
  account,
}: Pick<Bucket, "account">): { readonly ID: string; readonly DisplayName: string } => ({
  ID: canonicalUserId(account),
  DisplayName: account,
});

export const bucketArn = (name: string): string => `arn:aws:s3:::${name}`;
