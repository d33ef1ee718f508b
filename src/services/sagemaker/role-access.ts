// What an execution role may do in S3: jobs and endpoints read and write as their role, not as their account.
import type { S3Uri } from "./s3-uri.ts";
import { bucketAccess, objectAccess, type NeededAccess, type RoleDecision } from "../iam/index.ts";

/** What is used here of services/iam's Authoriser. */
export interface Roles {
  decideForRole(roleArn: string, region: string, access: NeededAccess): Promise<RoleDecision>;
  /** True where the role exists and its trust policy lets the service assume it. */
  serviceMayAssume(roleArn: string, service: string): Promise<boolean>;
}

/** Whose the bucket is (undefined: there is none), and why the role may not, as S3 tells it. */
export interface RoleAccess {
  list(bucket: string, prefix: string): Promise<RoleDecision>;
  read(bucket: string, key: string): Promise<RoleDecision>;
  write(bucket: string, key: string): Promise<RoleDecision>;
}

export function accessOf(roles: Roles, roleArn: string, region: string): RoleAccess {
  const decide = (access: NeededAccess): Promise<RoleDecision> => roles.decideForRole(roleArn, region, access);
  return {
    list: (bucket, prefix) => decide(bucketAccess("ListBucket", bucket, { "s3:prefix": [prefix] })),
    read: (bucket, key) => decide(objectAccess("GetObject", bucket, key)),
    write: (bucket, key) => decide(objectAccess("PutObject", bucket, key)),
  };
}

export type BucketToWrite =
  | { readonly owner: string; readonly problem?: undefined }
  | { readonly owner?: undefined; readonly problem: string };

/** Whose the bucket is that the role may write the object to, or why it may not, for the user. */
export async function bucketToWrite(
  access: RoleAccess,
  { bucket, key }: S3Uri,
  shown: string = bucket,
): Promise<BucketToWrite> {
  const { owner, problem } = await access.write(bucket, key);
  if (owner === undefined) return { problem: `The specified bucket does not exist: ${bucket}` };
  return problem === undefined ? { owner } : { problem: `${problem}: ${shown}` };
}
