// Every policy that bears on a principal by its own account: inline and attached, and its permissions boundary.
import type { Reader } from "../../database/store.ts";
import { managedPolicyDocument } from "./managed-policies.ts";
import { findRole, type RoleRow } from "./roles.ts";

export interface PolicyText {
  readonly name: string;
  /** JSON text. */
  readonly document: string;
}

export interface PrincipalPolicies {
  readonly identity: readonly PolicyText[];
  readonly boundary?: PolicyText;
  /** Documents that travel with the session. */
  readonly session?: readonly string[];
}

const attached = (arn: string): PolicyText[] => {
  const document = managedPolicyDocument(arn);
  return document === undefined ? [] : [{ name: arn.slice(arn.lastIndexOf("/") + 1), document }];
};

/** A boundary that is not there lets nothing pass. */
const denyAll = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Deny", Action: "*", Resource: "*" }],
});

async function policiesOfRole(read: Reader, role: RoleRow): Promise<PrincipalPolicies> {
  const { uid, permissions_boundary: boundary } = role;
  const inline = await read.selectFrom("role_policies").selectAll().where("role_uid", "=", uid).execute();
  const arns = await read.selectFrom("role_attachments").select("policy_arn").where("role_uid", "=", uid).execute();
  return {
    identity: [
      ...inline.map(({ policy_name: name, document }) => ({ name, document })),
      ...arns.flatMap(({ policy_arn: arn }) => attached(arn)),
    ],
    ...(boundary !== null && { boundary: attached(boundary)[0] ?? { name: boundary, document: denyAll } }),
  };
}

/** Of a session: those of its role. Root and principals that are not there have none. */
export async function policiesOf(read: Reader, account: string, principalArn: string): Promise<PrincipalPolicies> {
  const [, name] = /:(?:assumed-role|role)\/(?:.*\/)?([^/]+)(?:\/[^/]+)?$/.exec(principalArn) ?? [];
  const [, sessionRole] = /:assumed-role\/([^/]+)\//.exec(principalArn) ?? [];
  const roleName = sessionRole ?? name;
  const role = roleName === undefined ? undefined : await findRole(read, account, roleName);
  return role ? policiesOfRole(read, role) : { identity: [] };
}
