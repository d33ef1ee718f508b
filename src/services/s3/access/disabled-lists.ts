// Buckets whose lists are disabled (BucketOwnerEnforced, what new buckets have): a list may say what is so anyway, and nothing else.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ensure-object-ownership.html
import { AwsError } from "../../../lib/aws-error.ts";
import type { AccessControlPolicy } from "../../../models/generated/s3.ts";
import { canonicalUserId, type Bucket } from "../bucket/buckets.ts";
import type { GrantHeaders } from "./asked-grants.ts";

/** They say what is so anyway. */
const harmless: ReadonlySet<string> = new Set(["private", "bucket-owner-full-control", "bucket-owner-read"]);

/** Throws where a request wants to give somebody else access. */
export function refuseGrants(input: GrantHeaders, bucket: Pick<Bucket, "account">): void {
  if (input.ACL !== undefined && !harmless.has(input.ACL)) throw aclNotSupported();
  const others = [input.GrantRead, input.GrantReadACP, input.GrantWrite, input.GrantWriteACP];
  if (others.some((grant) => grant !== undefined)) throw aclNotSupported();
  const { GrantFullControl: full } = input;
  if (full === undefined) return;
  if (full.replaceAll('"', "").trim() !== `id=${canonicalUserId(bucket.account)}`) throw aclNotSupported();
}

export function refuseDocument(policy: AccessControlPolicy | undefined, bucket: Pick<Bucket, "account">): void {
  const own = canonicalUserId(bucket.account);
  if ((policy?.Grants ?? []).every(({ Grantee }) => Grantee?.ID === own)) return;
  throw aclNotSupported();
}

export const aclNotSupported = (): AwsError =>
  new AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs", { httpStatus: 400 });
