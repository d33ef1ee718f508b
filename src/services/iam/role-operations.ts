// Roles: make, read, change, delete, tag.
import type { Writer } from "../../database/store.ts";
import { AwsError } from "../../lib/aws-error.ts";
import type { Role } from "../../models/generated/iam.ts";
import { attachedArns, requireAttachable } from "./attachment-operations.ts";
import {
  belowPath,
  checkPolicyDocument,
  encodedDocument,
  operation,
  pageOf,
  roleNamed,
  type IamContext,
} from "./context.ts";
import { inlinePoliciesOf } from "./inline-policy-operations.ts";
import { boundaryOf } from "./permissions-boundary-operations.ts";
import { insertRole, roleArn, type RoleRow } from "./roles.ts";
import { firstTags, shownTags, tagPage, withoutTags, withTags } from "./tags.ts";

/** Lists leave out tags and the boundary. */
export const listedRole = (row: RoleRow): Role => ({
  Path: row.path,
  RoleName: row.name,
  RoleId: row.uid,
  Arn: roleArn(row),
  CreateDate: new Date(row.created_at),
  AssumeRolePolicyDocument: encodedDocument(row.trust_policy),
  Description: row.description ?? undefined,
  MaxSessionDuration: row.max_session_seconds,
});

export const describedRole = (row: RoleRow): Role => ({
  ...listedRole(row),
  PermissionsBoundary: boundaryOf(row),
  Tags: shownTags(row),
});

const createRole = operation("CreateRole", async (input, { store, account, random, clock }) => {
  checkPolicyDocument(input.AssumeRolePolicyDocument, "trust");
  const role = {
    account,
    name: input.RoleName,
    path: input.Path,
    description: input.Description,
    trustPolicy: input.AssumeRolePolicyDocument,
    maxSessionSeconds: input.MaxSessionDuration,
    permissionsBoundary: input.PermissionsBoundary,
    tags: firstTags(input.Tags),
  };
  return store.write(async (tx) => {
    if (role.permissionsBoundary !== undefined) await requireAttachable(tx, account, role.permissionsBoundary);
    if (!(await insertRole(tx, role, random, clock.now().getTime()))) {
      throw new AwsError("EntityAlreadyExists", `Role with name ${input.RoleName} already exists.`);
    }
    return { Role: describedRole(await roleNamed(tx, account, input.RoleName)) };
  });
});

const getRole = operation("GetRole", async ({ RoleName }, { store, account }) => ({
  Role: describedRole(await roleNamed(store.read, account, RoleName)),
}));

const listRoles = operation("ListRoles", async (input, { store, account }) => {
  const rows = await store.read
    .selectFrom("roles")
    .selectAll()
    .where("account", "=", account)
    .orderBy("name_key")
    .execute();
  const { items, rest } = pageOf(belowPath(rows, input.PathPrefix), (row) => row.name_key, input);
  return { Roles: items.map(listedRole), ...rest };
});

export const eraseRole = async (tx: Writer, uid: string): Promise<void> => {
  await tx.deleteFrom("roles").where("uid", "=", uid).execute();
};

const deleteRole = operation("DeleteRole", async ({ RoleName }, { store, account, identity }) => {
  await store.write(async (tx) => {
    const { uid, path } = await roleNamed(tx, account, RoleName);
    if (path.startsWith("/aws-service-role/")) {
      const message = `Cannot perform the operation on the protected role '${RoleName}' - this role is only modifiable by AWS`;
      throw new AwsError("UnmodifiableEntity", message);
    }
    if ((await attachedArns(tx, uid)).length > 0) {
      throw new AwsError("DeleteConflict", "Cannot delete entity, must detach all policies first.");
    }
    if ((await inlinePoliciesOf(tx, uid)).length > 0) {
      throw new AwsError("DeleteConflict", "Cannot delete entity, must delete policies first.");
    }
    const profile = await tx
      .selectFrom("instance_profiles")
      .select("uid")
      .where("role_uid", "=", uid)
      .executeTakeFirst();
    if (profile) {
      throw new AwsError("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.");
    }
    await eraseRole(tx, uid);
  });
  // The role's sessions end with it.
  identity.forgetAll();
  return {};
});

const updateRole = operation("UpdateRole", async ({ RoleName, Description, MaxSessionDuration }, { store, account }) =>
  store.write(async (tx) => {
    const role = await roleNamed(tx, account, RoleName);
    await tx
      .updateTable("roles")
      .set({
        description: Description ?? role.description,
        max_session_seconds: MaxSessionDuration ?? role.max_session_seconds,
      })
      .where("uid", "=", role.uid)
      .execute();
    return {};
  }),
);

const updateAssumeRolePolicy = operation(
  "UpdateAssumeRolePolicy",
  async ({ RoleName, PolicyDocument }, { store, account }) => {
    checkPolicyDocument(PolicyDocument, "trust");
    return store.write(async (tx) => {
      const { uid } = await roleNamed(tx, account, RoleName);
      await tx.updateTable("roles").set({ trust_policy: PolicyDocument }).where("uid", "=", uid).execute();
      return {};
    });
  },
);

const setTags = (
  { store, account }: IamContext,
  name: string,
  change: (row: RoleRow) => string,
): Promise<Record<string, never>> =>
  store.write(async (tx) => {
    const role = await roleNamed(tx, account, name);
    await tx
      .updateTable("roles")
      .set({ tags: change(role) })
      .where("uid", "=", role.uid)
      .execute();
    return {};
  });

const updateRoleDescription = operation(
  "UpdateRoleDescription",
  async ({ RoleName, Description }, { store, account }) =>
    store.write(async (tx) => {
      const role = await roleNamed(tx, account, RoleName);
      await tx.updateTable("roles").set({ description: Description }).where("uid", "=", role.uid).execute();
      return { Role: describedRole({ ...role, description: Description }) };
    }),
);

export const roleOperations = [
  createRole,
  getRole,
  listRoles,
  deleteRole,
  updateRole,
  updateRoleDescription,
  updateAssumeRolePolicy,
  operation("TagRole", async ({ RoleName, Tags }, ctx) => setTags(ctx, RoleName, (row) => withTags(row, Tags))),
  operation("UntagRole", async ({ RoleName, TagKeys }, ctx) =>
    setTags(ctx, RoleName, (row) => withoutTags(row, TagKeys)),
  ),
  operation("ListRoleTags", async (input, { store, account }) =>
    tagPage(await roleNamed(store.read, account, input.RoleName), input),
  ),
];
