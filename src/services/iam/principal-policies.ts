// Every policy that bears on a principal by its own account: inline and attached, those of its groups, its permissions boundary.
import type { Reader } from "../../database/store.ts";
import { policyDocumentOf, policyNameOf } from "./policies.ts";
import { findRole } from "./roles.ts";
import { findUser } from "./users.ts";

export interface PolicyText {
  readonly name: string;
  /** JSON text. */
  readonly document: string;
  /** Where it came from. */
  readonly source: "user" | "group" | "role" | "aws-managed" | "user-managed";
}

export interface PrincipalPolicies {
  readonly identity: readonly PolicyText[];
  readonly boundary?: PolicyText;
}

/** A boundary that is not there lets nothing pass. */
const denyAll = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Deny", Action: "*", Resource: "*" }],
});

const allowAll = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
});

const managedSource = (arn: string): PolicyText["source"] =>
  arn.startsWith("arn:aws:iam::aws:") ? "aws-managed" : "user-managed";

/** Of one user, group or role; not of the groups of a user. */
async function policiesOfOwner(
  read: Reader,
  account: string,
  uid: string,
  source: "user" | "group" | "role",
): Promise<PolicyText[]> {
  const inline = await read.selectFrom("inline_policies").selectAll().where("owner_uid", "=", uid).execute();
  const rows = await read.selectFrom("policy_attachments").select("policy_arn").where("owner_uid", "=", uid).execute();
  const texts: PolicyText[] = inline.map(({ policy_name: name, document }) => ({ name, document, source }));
  for (const { policy_arn: arn } of rows) {
    const document = await policyDocumentOf(read, account, arn);
    if (document !== undefined) texts.push({ name: policyNameOf(arn), document, source: managedSource(arn) });
  }
  return texts;
}

async function boundaryOf(read: Reader, account: string, arn: string | null): Promise<PolicyText | undefined> {
  if (arn === null) return undefined;
  const document = (await policyDocumentOf(read, account, arn)) ?? denyAll;
  return { name: policyNameOf(arn), document, source: managedSource(arn) };
}

async function policiesOfUser(read: Reader, account: string, name: string): Promise<PrincipalPolicies> {
  const user = await findUser(read, account, name);
  if (!user) return { identity: [] };
  const groups = await read.selectFrom("group_members").select("group_uid").where("user_uid", "=", user.uid).execute();
  const identity = await policiesOfOwner(read, account, user.uid, "user");
  for (const { group_uid: uid } of groups) identity.push(...(await policiesOfOwner(read, account, uid, "group")));
  const boundary = await boundaryOf(read, account, user.permissions_boundary);
  return { identity, ...(boundary && { boundary }) };
}

async function policiesOfRole(read: Reader, account: string, name: string): Promise<PrincipalPolicies> {
  const role = await findRole(read, account, name);
  if (!role) return { identity: [] };
  const boundary = await boundaryOf(read, account, role.permissions_boundary);
  return { identity: await policiesOfOwner(read, account, role.uid, "role"), ...(boundary && { boundary }) };
}

/** Of a session of a role, those of the role; of root, everything. Principals that are not there have none. */
export async function policiesOf(read: Reader, account: string, principalArn: string): Promise<PrincipalPolicies> {
  if (principalArn === `arn:aws:iam::${account}:root`) {
    return { identity: [{ name: "root", document: allowAll, source: "user" }] };
  }
  const [, kind, name] = /:(user|group|role|assumed-role)\/(.+)$/.exec(principalArn) ?? [];
  if (kind === undefined || name === undefined) return { identity: [] };
  const last = name.slice(name.lastIndexOf("/") + 1);
  if (kind === "user") return policiesOfUser(read, account, last);
  if (kind === "role") return policiesOfRole(read, account, last);
  if (kind === "assumed-role") return policiesOfRole(read, account, name.slice(0, name.indexOf("/")));
  const group = await read
    .selectFrom("user_groups")
    .select("uid")
    .where("account", "=", account)
    .where("name_key", "=", last.toLowerCase())
    .executeTakeFirst();
  return { identity: group ? await policiesOfOwner(read, account, group.uid, "group") : [] };
}
