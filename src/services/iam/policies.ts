// Managed policies by their ARN: an account's own, which are rows with up to five versions, and AWS's.
import type { ManagedPoliciesTable, ManagedPolicyVersionsTable } from "../../database/tables/identity.ts";
import type { Reader } from "../../database/store.ts";
import { managedPolicyDocument } from "./managed-policies.ts";

export type PolicyRow = ManagedPoliciesTable;
export type PolicyVersionRow = ManagedPolicyVersionsTable;

const partsOf = (arn: string): { account: string; path: string; name: string } | undefined => {
  const [, account, path, name] = /^arn:aws:iam::(\d{12}|aws):policy(\/(?:.*\/)?)([^/]+)$/.exec(arn) ?? [];
  return account === undefined || path === undefined || name === undefined ? undefined : { account, path, name };
};

/** An account's own policy with exactly this ARN. */
export async function findPolicy(db: Reader, arn: string): Promise<PolicyRow | undefined> {
  const parts = partsOf(arn);
  if (!parts) return undefined;
  const row = await db
    .selectFrom("managed_policies")
    .selectAll()
    .where("account", "=", parts.account)
    .where("name_key", "=", parts.name.toLowerCase())
    .executeTakeFirst();
  return row && row.path === parts.path && row.name === parts.name ? row : undefined;
}

export const findVersion = (db: Reader, uid: string, version: number): Promise<PolicyVersionRow | undefined> =>
  db
    .selectFrom("managed_policy_versions")
    .selectAll()
    .where("policy_uid", "=", uid)
    .where("version", "=", version)
    .executeTakeFirst();

/** The default version's document as JSON text; undefined: there is no such policy, or it is another account's. */
export async function policyDocumentOf(db: Reader, account: string, arn: string): Promise<string | undefined> {
  const parts = partsOf(arn);
  if (parts?.account === "aws") return managedPolicyDocument(arn);
  if (parts?.account !== account) return undefined;
  const row = await findPolicy(db, arn);
  return row && (await findVersion(db, row.uid, row.default_version))?.document;
}

export const policyNameOf = (arn: string): string => arn.slice(arn.lastIndexOf("/") + 1);
/** e.g. / or /service-role/ */
export const policyPathOf = (arn: string): string => arn.slice(arn.indexOf(":policy/") + 7, arn.lastIndexOf("/") + 1);
