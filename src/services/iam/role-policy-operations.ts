// A role's policies: inline ones, and attachments of managed ones. Kept for who decides; nobody evaluates them here.
import { AwsError } from "../../lib/aws-error.ts";
import { checkPolicyDocument, encodedDocument, operation, pageOf, roleNamed } from "./context.ts";

const isManagedByAws = (arn: string): boolean => /^arn:aws[\w-]*:iam::aws:policy\/[\w+=,.@/-]+$/.test(arn);

const attachRolePolicy = operation("AttachRolePolicy", async ({ RoleName, PolicyArn }, { store, account, clock }) =>
  store.write(async (tx) => {
    const { uid } = await roleNamed(tx, account, RoleName);
    if (!isManagedByAws(PolicyArn)) {
      throw new AwsError("NoSuchEntity", `Policy ${PolicyArn} does not exist or is not attachable.`);
    }
    await tx
      .insertInto("role_attachments")
      .values({ role_uid: uid, policy_arn: PolicyArn, attached_at: clock.now().getTime() })
      .onConflict((conflict) => conflict.columns(["role_uid", "policy_arn"]).doNothing())
      .execute();
    return {};
  }),
);

const detachRolePolicy = operation("DetachRolePolicy", async ({ RoleName, PolicyArn }, { store, account }) =>
  store.write(async (tx) => {
    const { uid } = await roleNamed(tx, account, RoleName);
    const { numDeletedRows } = await tx
      .deleteFrom("role_attachments")
      .where("role_uid", "=", uid)
      .where("policy_arn", "=", PolicyArn)
      .executeTakeFirst();
    if (numDeletedRows === 0n) throw new AwsError("NoSuchEntity", `Policy ${PolicyArn} was not found.`);
    return {};
  }),
);

const listAttachedRolePolicies = operation("ListAttachedRolePolicies", async (input, { store, account }) => {
  const { uid } = await roleNamed(store.read, account, input.RoleName);
  const rows = await store.read
    .selectFrom("role_attachments")
    .select("policy_arn")
    .where("role_uid", "=", uid)
    .orderBy("policy_arn")
    .execute();
  const pathOf = (arn: string): string => arn.slice(arn.indexOf(":policy") + 7, arn.lastIndexOf("/") + 1);
  const below = rows.filter((row) => pathOf(row.policy_arn).startsWith(input.PathPrefix ?? "/"));
  const { items, rest } = pageOf(below, (row) => row.policy_arn, input);
  const AttachedPolicies = items.map(({ policy_arn: arn }) => ({
    PolicyName: arn.slice(arn.lastIndexOf("/") + 1),
    PolicyArn: arn,
  }));
  return { AttachedPolicies, ...rest };
});

const putRolePolicy = operation(
  "PutRolePolicy",
  async ({ RoleName, PolicyName, PolicyDocument }, { store, account }) => {
    checkPolicyDocument(PolicyDocument);
    return store.write(async (tx) => {
      const { uid } = await roleNamed(tx, account, RoleName);
      await tx
        .insertInto("role_policies")
        .values({ role_uid: uid, policy_name: PolicyName, document: PolicyDocument })
        .onConflict((conflict) =>
          conflict.columns(["role_uid", "policy_name"]).doUpdateSet({ document: PolicyDocument }),
        )
        .execute();
      return {};
    });
  },
);

const noSuchPolicy = (name: string): AwsError =>
  new AwsError("NoSuchEntity", `The role policy with name ${name} cannot be found.`);

const getRolePolicy = operation("GetRolePolicy", async ({ RoleName, PolicyName }, { store, account }) => {
  const role = await roleNamed(store.read, account, RoleName);
  const row = await store.read
    .selectFrom("role_policies")
    .select("document")
    .where("role_uid", "=", role.uid)
    .where("policy_name", "=", PolicyName)
    .executeTakeFirst();
  if (!row) throw noSuchPolicy(PolicyName);
  return { RoleName: role.name, PolicyName, PolicyDocument: encodedDocument(row.document) };
});

const deleteRolePolicy = operation("DeleteRolePolicy", async ({ RoleName, PolicyName }, { store, account }) =>
  store.write(async (tx) => {
    const { uid } = await roleNamed(tx, account, RoleName);
    const { numDeletedRows } = await tx
      .deleteFrom("role_policies")
      .where("role_uid", "=", uid)
      .where("policy_name", "=", PolicyName)
      .executeTakeFirst();
    if (numDeletedRows === 0n) throw noSuchPolicy(PolicyName);
    return {};
  }),
);

const listRolePolicies = operation("ListRolePolicies", async (input, { store, account }) => {
  const { uid } = await roleNamed(store.read, account, input.RoleName);
  const rows = await store.read
    .selectFrom("role_policies")
    .select("policy_name")
    .where("role_uid", "=", uid)
    .orderBy("policy_name")
    .execute();
  const { items, rest } = pageOf(rows, (row) => row.policy_name, input);
  return { PolicyNames: items.map((row) => row.policy_name), ...rest };
});

export const rolePolicyOperations = [
  attachRolePolicy,
  detachRolePolicy,
  listAttachedRolePolicies,
  putRolePolicy,
  getRolePolicy,
  deleteRolePolicy,
  listRolePolicies,
];
