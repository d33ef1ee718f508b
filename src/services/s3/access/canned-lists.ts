// Access control lists by name. https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
import { invalidArgument, notImplemented } from "../errors.ts";
import { allTo, type ListGrant } from "./list-grant.ts";

interface Owners {
  /** Account: of the bucket or of the object that the list is for. */
  readonly owner: string;
  readonly bucketOwner: string;
}

const toEverybody = (permission: ListGrant["permission"]): ListGrant => ({ to: "AllUsers", permission });

const canned: Readonly<Record<string, (bucketOwner: string) => readonly ListGrant[]>> = {
  private: () => [],
  "public-read": () => [toEverybody("READ")],
  "public-read-write": () => [toEverybody("READ"), toEverybody("WRITE")],
  "authenticated-read": () => [{ to: "AuthenticatedUsers", permission: "READ" }],
  "bucket-owner-read": (to) => [{ to, permission: "READ" }],
  "bucket-owner-full-control": (to) => [allTo(to)],
  "log-delivery-write": () => [
    { to: "LogDelivery", permission: "WRITE" },
    { to: "LogDelivery", permission: "READ_ACP" },
  ],
};

/** What the name stands for. InvalidArgument: S3 has no such list. */
export function cannedList(name: string, { owner, bucketOwner }: Owners): readonly ListGrant[] {
  if (name === "aws-exec-read") throw notImplemented("the access control list aws-exec-read: there is no EC2 here");
  const others = Object.hasOwn(canned, name) ? canned[name] : undefined;
  if (!others) throw invalidArgument("", "x-amz-acl", name);
  return [allTo(owner), ...others(bucketOwner).filter(({ to }) => to !== owner)];
}
