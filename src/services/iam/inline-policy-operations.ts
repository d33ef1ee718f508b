// Inline policies of users, groups and roles: four operations for each.
import type { Store } from "../../database/store.ts";
import { AwsError } from "../../lib/aws-error.ts";
import {
  checkPolicyDocument,
  encodedDocument,
  limitExceeded,
  operation,
  pageOf,
  policySize,
  type IamContext,
} from "./context.ts";
import { ownerNamed, type Owner, type OwnerKind } from "./owners.ts";

/** Characters of all inline policies together. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const maxSize: Readonly<Record<OwnerKind, number>> = { user: 2_048, group: 5_120, role: 10_240 };

const noSuchPolicy = (kind: OwnerKind, name: string): AwsError =>
  new AwsError("NoSuchEntity", `The ${kind} policy with name ${name} cannot be found.`);

export const inlinePoliciesOf = (read: Store["read"], uid: string) =>
  read
    .selectFrom("inline_policies")
    .select(["policy_name", "document"])
    .where("owner_uid", "=", uid)
    .orderBy("policy_name")
    .execute();

interface NamedDocument {
  readonly PolicyName: string;
  readonly PolicyDocument: string;
}

async function put(
  { store, account }: IamContext,
  kind: OwnerKind,
  name: string,
  { PolicyName, PolicyDocument }: NamedDocument,
): Promise<Record<string, never>> {
  checkPolicyDocument(PolicyDocument, "identity");
  return store.write(async (tx) => {
    const owner = await ownerNamed(tx, kind, account, name);
    const others = (await inlinePoliciesOf(tx, owner.uid)).filter((row) => row.policy_name !== PolicyName);
    const size = others.reduce((sum, row) => sum + policySize(row.document), policySize(PolicyDocument));
    if (size > maxSize[kind]) {
      throw limitExceeded(`Maximum policy size of ${maxSize[kind]} bytes exceeded for ${kind} ${owner.name}`);
    }
    await tx
      .insertInto("inline_policies")
      .values({ owner_uid: owner.uid, policy_name: PolicyName, document: PolicyDocument })
      .onConflict((conflict) =>
        conflict.columns(["owner_uid", "policy_name"]).doUpdateSet({ document: PolicyDocument }),
      )
      .execute();
    return {};
  });
}

async function get(
  { store, account }: IamContext,
  kind: OwnerKind,
  name: string,
  policyName: string,
): Promise<NamedDocument & { readonly owner: Owner }> {
  const owner = await ownerNamed(store.read, kind, account, name);
  const found = (await inlinePoliciesOf(store.read, owner.uid)).find((row) => row.policy_name === policyName);
  if (!found) throw noSuchPolicy(kind, policyName);
  return { owner, PolicyName: found.policy_name, PolicyDocument: encodedDocument(found.document) };
}

const remove = (
  { store, account }: IamContext,
  kind: OwnerKind,
  name: string,
  policyName: string,
): Promise<Record<string, never>> =>
  store.write(async (tx) => {
    const { uid } = await ownerNamed(tx, kind, account, name);
    const { numDeletedRows } = await tx
      .deleteFrom("inline_policies")
      .where("owner_uid", "=", uid)
      .where("policy_name", "=", policyName)
      .executeTakeFirst();
    if (numDeletedRows === 0n) throw noSuchPolicy(kind, policyName);
    return {};
  });

async function list(
  { store, account }: IamContext,
  kind: OwnerKind,
  name: string,
  paging: Parameters<typeof pageOf>[2],
) {
  const { uid } = await ownerNamed(store.read, kind, account, name);
  const { items, rest } = pageOf(await inlinePoliciesOf(store.read, uid), (row) => row.policy_name, paging);
  return { PolicyNames: items.map((row) => row.policy_name), ...rest };
}

export const inlinePolicyOperations = [
  operation("PutUserPolicy", async (input, ctx) => put(ctx, "user", input.UserName, input)),
  operation("PutGroupPolicy", async (input, ctx) => put(ctx, "group", input.GroupName, input)),
  operation("PutRolePolicy", async (input, ctx) => put(ctx, "role", input.RoleName, input)),
  operation("GetUserPolicy", async (input, ctx) => {
    const { owner, ...policy } = await get(ctx, "user", input.UserName, input.PolicyName);
    return { UserName: owner.name, ...policy };
  }),
  operation("GetGroupPolicy", async (input, ctx) => {
    const { owner, ...policy } = await get(ctx, "group", input.GroupName, input.PolicyName);
    return { GroupName: owner.name, ...policy };
  }),
  operation("GetRolePolicy", async (input, ctx) => {
    const { owner, ...policy } = await get(ctx, "role", input.RoleName, input.PolicyName);
    return { RoleName: owner.name, ...policy };
  }),
  operation("DeleteUserPolicy", async (input, ctx) => remove(ctx, "user", input.UserName, input.PolicyName)),
  operation("DeleteGroupPolicy", async (input, ctx) => remove(ctx, "group", input.GroupName, input.PolicyName)),
  operation("DeleteRolePolicy", async (input, ctx) => remove(ctx, "role", input.RoleName, input.PolicyName)),
  operation("ListUserPolicies", async (input, ctx) => list(ctx, "user", input.UserName, input)),
  operation("ListGroupPolicies", async (input, ctx) => list(ctx, "group", input.GroupName, input)),
  operation("ListRolePolicies", async (input, ctx) => list(ctx, "role", input.RoleName, input)),
];
