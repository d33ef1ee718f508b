// What an execution role may do in S3: jobs and endpoints read and write as their role, not as their account.
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
