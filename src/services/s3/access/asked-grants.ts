// The access control list that a request asks for: by a name, by x-amz-grant-* headers, or by a document.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html
import type { Reader } from "../../../database/store.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import type { AccessControlPolicy, Grant } from "../../../models/generated/s3.ts";
import { knownAccounts } from "../../iam/index.ts";
import { canonicalUserId } from "../bucket/buckets.ts";
import { accessDenied, invalidArgument, invalidRequest } from "../errors.ts";
import { cannedList } from "./canned-lists.ts";
import { groupOf, type ListGrant } from "./list-grant.ts";

export interface GrantHeaders {
  readonly ACL?: string | undefined;
  readonly GrantFullControl?: string | undefined;
  readonly GrantRead?: string | undefined;
  readonly GrantReadACP?: string | undefined;
  readonly GrantWrite?: string | undefined;
  readonly GrantWriteACP?: string | undefined;
}

type Permission = ListGrant["permission"];

const headers = [
  ["GrantRead", "READ"],
  ["GrantWrite", "WRITE"],
  ["GrantReadACP", "READ_ACP"],
  ["GrantWriteACP", "WRITE_ACP"],
  ["GrantFullControl", "FULL_CONTROL"],
] as const satisfies readonly (readonly [keyof GrantHeaders, Permission])[];

const permissions: ReadonlySet<string> = new Set(headers.map(([, permission]) => permission));
const maxGrants = 100;

/** Of the thing that the list is for. */
export interface Owners {
  readonly owner: string;
  readonly bucketOwner: string;
}

/** Undefined: the request asks for no list. */
export async function grantsOfHeaders(
  reader: Reader,
  input: GrantHeaders,
  owners: Owners,
): Promise<readonly ListGrant[] | undefined> {
  const given = headers.flatMap(([member, permission]) => {
    const text = input[member];
    return text === undefined ? [] : [{ permission, text }];
  });
  if (input.ACL !== undefined) {
    if (given.length > 0) throw invalidRequest("Specifying both Canned ACLs and Header Grants is not allowed");
    return cannedList(input.ACL, owners);
  }
  if (given.length === 0) return undefined;
  const grantees = new Grantees(reader, owners);
  const grants: ListGrant[] = [];
  for (const { permission, text } of given) {
    for (const grantee of granteesOfHeader(text)) grants.push({ to: await grantees.named(grantee), permission });
  }
  return counted(grants);
}

/** Undefined: there is no document. The owner cannot be changed: AccessDenied. */
export async function grantsOfDocument(
  reader: Reader,
  policy: AccessControlPolicy | undefined,
  owners: Owners,
): Promise<readonly ListGrant[] | undefined> {
  if (policy === undefined) return undefined;
  if (policy.Owner?.ID === undefined) throw malformedList();
  if (policy.Owner.ID !== canonicalUserId(owners.owner)) throw accessDenied();
  const grantees = new Grantees(reader, owners);
  const grants: ListGrant[] = [];
  for (const grant of policy.Grants ?? []) {
    grants.push({ to: await grantees.named(granteeOf(grant)), permission: permissionOf(grant) });
  }
  return counted(grants);
}

interface NamedGrantee {
  readonly kind: "id" | "uri" | "emailAddress";
  readonly value: string;
}

function granteeOf({ Grantee }: Grant): NamedGrantee {
  if (Grantee?.URI !== undefined) return { kind: "uri", value: Grantee.URI };
  if (Grantee?.ID !== undefined) return { kind: "id", value: Grantee.ID };
  if (Grantee?.EmailAddress !== undefined) return { kind: "emailAddress", value: Grantee.EmailAddress };
  throw malformedList();
}

function permissionOf({ Permission: given }: Grant): Permission {
  if (given === undefined || !permissions.has(given)) throw malformedList();
  return given;
}

/** id="…", uri="…", with or without quotes, separated by commas. */
function granteesOfHeader(text: string): readonly NamedGrantee[] {
  return text.split(",").map((part) => {
    const [, kind, value] = /^\s*(id|uri|emailAddress)\s*=\s*"?([^"]*?)"?\s*$/i.exec(part) ?? [];
    if (kind === undefined || value === undefined) {
      throw invalidArgument("Argument format not recognized", "x-amz-grant", part.trim());
    }
    const lower = kind.toLowerCase();
    return { kind: lower === "id" ? "id" : lower === "uri" ? "uri" : "emailAddress", value };
  });
}

class Grantees {
  readonly #reader: Reader;
  readonly #accounts: Map<string, string>;
  #knowsAll = false;

  constructor(reader: Reader, { owner, bucketOwner }: Owners) {
    this.#reader = reader;
    this.#accounts = new Map([owner, bucketOwner].map((account) => [canonicalUserId(account), account]));
  }

  /** The account or the group. */
  async named({ kind, value }: NamedGrantee): Promise<string> {
    if (kind === "emailAddress") {
      throw new AwsError(
        "UnresolvableGrantByEmailAddress",
        "The email address you provided does not match any account on record.",
        { httpStatus: 400 },
      );
    }
    if (kind === "id") return this.#account(value);
    const group = groupOf(value);
    if (group === undefined) throw invalidArgument("Invalid group uri", "uri", value);
    return group;
  }

  async #account(id: string): Promise<string> {
    if (!this.#accounts.has(id) && !this.#knowsAll) {
      for (const account of await knownAccounts(this.#reader)) this.#accounts.set(canonicalUserId(account), account);
      this.#knowsAll = true;
    }
    const account = this.#accounts.get(id);
    if (account === undefined) throw invalidArgument("Invalid id", "CanonicalUser/ID", id);
    return account;
  }
}

/** S3 keeps at most a hundred grants in a list. */
function counted(grants: readonly ListGrant[]): readonly ListGrant[] {
  if (grants.length > maxGrants) throw invalidRequest("The number of grants in the ACL exceeds the maximum of 100");
  return grants;
}

export const malformedList = (): AwsError =>
  new AwsError(
    "MalformedACLError",
    "The XML you provided was not well-formed or did not validate against our published schema",
    { httpStatus: 400 },
  );
