// Roles: make, read, change, delete, tag.
import { AwsError } from "../../lib/aws-error.ts";
import type { Role, Tag } from "../../models/generated/iam.ts";
import { checkPolicyDocument, encodedDocument, operation, pageOf, roleNamed } from "./context.ts";
import { insertRole, roleArn, type RoleRow } from "./roles.ts";

const tagsOf = (row: RoleRow): Tag[] => JSON.parse(row.tags) as Tag[];

function described(row: RoleRow): Role {
  const { permissions_boundary: boundary } = row;
  const tags = tagsOf(row);
  return {
    ...listed(row),
    PermissionsBoundary:
      boundary === null
        ? undefined
        : { PermissionsBoundaryType: "PermissionsBoundaryPolicy", PermissionsBoundaryArn: boundary },
    Tags: tags.length > 0 ? tags : undefined,
  };
}

/** Lists leave out tags and the boundary. */
const listed = (row: RoleRow): Role => ({
  Path: row.path,
  RoleName: row.name,
  RoleId: row.uid,
  Arn: roleArn(row),
  CreateDate: new Date(row.created_at),
  AssumeRolePolicyDocument: encodedDocument(row.trust_policy),
  Description: row.description ?? undefined,
  MaxSessionDuration: row.max_session_seconds,
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
    tags: input.Tags,
  };
  return store.write(async (tx) => {
    if (!(await insertRole(tx, role, random, clock.now().getTime()))) {
      throw new AwsError("EntityAlreadyExists", `Role with name ${input.RoleName} already exists.`);
    }
    return { Role: described(await roleNamed(tx, account, input.RoleName)) };
  });
});

const getRole = operation("GetRole", async ({ RoleName }, { store, account }) => ({
  Role: described(await roleNamed(store.read, account, RoleName)),
}));

const listRoles = operation("ListRoles", async (input, { store, account }) => {
  const rows = await store.read
    .selectFrom("roles")
    .selectAll()
    .where("account", "=", account)
    .orderBy("name_key")
    .execute();
  const below = rows.filter((row) => row.path.startsWith(input.PathPrefix ?? "/"));
  const { items, rest } = pageOf(below, (row) => row.name_key, input);
  return { Roles: items.map(listed), ...rest };
});

const deleteRole = operation("DeleteRole", async ({ RoleName }, { store, account, identity }) => {
  await store.write(async (tx) => {
    const { uid } = await roleNamed(tx, account, RoleName);
    const attached = await tx
      .selectFrom("policy_attachments")
      .select("policy_arn")
      .where("owner_uid", "=", uid)
      .execute();
    if (attached.length > 0) {
      throw new AwsError("DeleteConflict", "Cannot delete entity, must detach all policies first.");
    }
    const inline = await tx.selectFrom("inline_policies").select("policy_name").where("owner_uid", "=", uid).execute();
    if (inline.length > 0) throw new AwsError("DeleteConflict", "Cannot delete entity, must delete policies first.");
    await tx.deleteFrom("roles").where("uid", "=", uid).execute();
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

const tagRole = operation("TagRole", async ({ RoleName, Tags }, { store, account }) =>
  store.write(async (tx) => {
    const role = await roleNamed(tx, account, RoleName);
    const merged = new Map([...tagsOf(role), ...Tags].map(({ Key, Value }) => [Key, Value]));
    if (merged.size > 50) throw new AwsError("LimitExceeded", "The number of tags has reached the maximum limit.");
    const tags = JSON.stringify(Array.from(merged, ([Key, Value]) => ({ Key, Value })));
    await tx.updateTable("roles").set({ tags }).where("uid", "=", role.uid).execute();
    return {};
  }),
);

const untagRole = operation("UntagRole", async ({ RoleName, TagKeys }, { store, account }) =>
  store.write(async (tx) => {
    const role = await roleNamed(tx, account, RoleName);
    const tags = JSON.stringify(tagsOf(role).filter(({ Key }) => !TagKeys.includes(Key)));
    await tx.updateTable("roles").set({ tags }).where("uid", "=", role.uid).execute();
    return {};
  }),
);

const listRoleTags = operation("ListRoleTags", async (input, { store, account }) => {
  const tags = tagsOf(await roleNamed(store.read, account, input.RoleName));
  const sorted = tags.toSorted((a, b) => (a.Key < b.Key ? -1 : 1));
  const { items, rest } = pageOf(sorted, (tag) => tag.Key, input);
  return { Tags: items, ...rest };
});

export const roleOperations = [
  createRole,
  getRole,
  listRoles,
  deleteRole,
  updateRole,
  updateAssumeRolePolicy,
  tagRole,
  untagRole,
  listRoleTags,
];
