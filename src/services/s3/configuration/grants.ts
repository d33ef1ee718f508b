// What a request wants to grant to others by access control lists, which are disabled (acl.ts).
import { AwsError } from "../../../lib/aws-error.ts";
import { canonicalUserId, type Bucket } from "../bucket/buckets.ts";

export interface Grants {
  readonly ACL?: string | undefined;
  readonly GrantFullControl?: string | undefined;
  readonly GrantRead?: string | undefined;
  readonly GrantReadACP?: string | undefined;
  readonly GrantWrite?: string | undefined;
  readonly GrantWriteACP?: string | undefined;
}

/** They say what is so anyway. */
const harmless: ReadonlySet<string> = new Set(["private", "bucket-owner-full-control", "bucket-owner-read"]);

/** Throws where a request wants to give somebody else access. `bucket`: undefined while it is created. */
export function refuseGrants(input: Grants, bucket?: Pick<Bucket, "account">): void {
  if (input.ACL !== undefined && !harmless.has(input.ACL)) throw aclNotSupported();
  const others = [input.GrantRead, input.GrantReadACP, input.GrantWrite, input.GrantWriteACP];
  if (others.some((grant) => grant !== undefined)) throw aclNotSupported();
  const { GrantFullControl: full } = input;
  if (full === undefined) return;
  const own = bucket && canonicalUserId(bucket.account);
  if (own === undefined || full.replaceAll('"', "").trim() !== `id=${own}`) throw aclNotSupported();
}

export const aclNotSupported = (): AwsError =>
  new AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs", { httpStatus: 400 });
