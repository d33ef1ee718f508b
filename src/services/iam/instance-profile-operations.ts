// Instance profiles: a role under a name for EC2. Nothing here starts instances with them; Terraform and consoles ask for them.
import type { Reader } from "../../database/store.ts";
import type { InstanceProfilesTable } from "../../database/tables/identity.ts";
import { AwsError } from "../../lib/aws-error.ts";
import type { InstanceProfile } from "../../models/generated/iam.ts";
import { belowPath, limitExceeded, operation, pageOf, roleNamed, type IamContext } from "./context.ts";
import { uniqueId } from "./credentials.ts";
import { iamArn } from "./owners.ts";
import { listedRole } from "./role-operations.ts";
import { firstTags, shownTags, tagPage, withoutTags, withTags } from "./tags.ts";

type ProfileRow = InstanceProfilesTable;

export async function describedProfile(db: Reader, row: ProfileRow): Promise<InstanceProfile> {
  const { role_uid: uid } = row;
  const role =
    uid === null ? undefined : await db.selectFrom("roles").selectAll().where("uid", "=", uid).executeTakeFirst();
  return {
    Path: row.path,
    InstanceProfileName: row.name,
    InstanceProfileId: row.uid,
    Arn: iamArn("instance-profile", row),
    CreateDate: new Date(row.created_at),
    Roles: role ? [listedRole(role)] : [],
    Tags: shownTags(row),
  };
}

async function profileNamed(db: Reader, account: string, name: string): Promise<ProfileRow> {
  const row = await db
    .selectFrom("instance_profiles")
    .selectAll()
    .where("account", "=", account)
    .where("name_key", "=", name.toLowerCase())
    .executeTakeFirst();
  if (!row) throw new AwsError("NoSuchEntity", `Instance Profile ${name} cannot be found.`);
  return row;
}

const createInstanceProfile = operation("CreateInstanceProfile", async (input, { store, account, random, clock }) =>
  store.write(async (tx) => {
    const name = input.InstanceProfileName;
    const row: ProfileRow = {
      account,
      name_key: name.toLowerCase(),
      name,
      uid: uniqueId(random, "AIPA", 21),
      path: input.Path ?? "/",
      role_uid: null,
      tags: firstTags(input.Tags),
      created_at: clock.now().getTime(),
    };
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto("instance_profiles")
      .values(row)
      .onConflict((conflict) => conflict.columns(["account", "name_key"]).doNothing())
      .executeTakeFirst();
    if (numInsertedOrUpdatedRows !== 1n) {
      throw new AwsError("EntityAlreadyExists", `Instance Profile ${name} already exists.`);
    }
    return { InstanceProfile: await describedProfile(tx, row) };
  }),
);

const getInstanceProfile = operation("GetInstanceProfile", async (input, { store, account }) => {
  const row = await profileNamed(store.read, account, input.InstanceProfileName);
  return { InstanceProfile: await describedProfile(store.read, row) };
});

async function page(db: Reader, rows: readonly ProfileRow[], paging: Parameters<typeof pageOf>[2]) {
  const { items, rest } = pageOf(rows, (row) => row.name_key, paging);
  return { InstanceProfiles: await Promise.all(items.map((row) => describedProfile(db, row))), ...rest };
}

const listInstanceProfiles = operation("ListInstanceProfiles", async (input, { store, account }) => {
  const rows = await store.read
    .selectFrom("instance_profiles")
    .selectAll()
    .where("account", "=", account)
    .orderBy("name_key")
    .execute();
  return page(store.read, belowPath(rows, input.PathPrefix), input);
});

export const profilesOfRole = (db: Reader, uid: string): Promise<ProfileRow[]> =>
  db.selectFrom("instance_profiles").selectAll().where("role_uid", "=", uid).orderBy("name_key").execute();

const listInstanceProfilesForRole = operation("ListInstanceProfilesForRole", async (input, { store, account }) => {
  const role = await roleNamed(store.read, account, input.RoleName);
  return page(store.read, await profilesOfRole(store.read, role.uid), input);
});

const addRoleToInstanceProfile = operation("AddRoleToInstanceProfile", async (input, { store, account }) =>
  store.write(async (tx) => {
    const profile = await profileNamed(tx, account, input.InstanceProfileName);
    const role = await roleNamed(tx, account, input.RoleName);
    if (profile.role_uid !== null) throw limitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
    await tx.updateTable("instance_profiles").set({ role_uid: role.uid }).where("uid", "=", profile.uid).execute();
    return {};
  }),
);

const removeRoleFromInstanceProfile = operation("RemoveRoleFromInstanceProfile", async (input, { store, account }) =>
  store.write(async (tx) => {
    const profile = await profileNamed(tx, account, input.InstanceProfileName);
    const role = await roleNamed(tx, account, input.RoleName);
    if (profile.role_uid !== role.uid) {
      const message = `Role ${role.name} in Instance Profile ${profile.name} cannot be found.`;
      throw new AwsError("NoSuchEntity", message);
    }
    await tx.updateTable("instance_profiles").set({ role_uid: null }).where("uid", "=", profile.uid).execute();
    return {};
  }),
);

const deleteInstanceProfile = operation("DeleteInstanceProfile", async (input, { store, account }) =>
  store.write(async (tx) => {
    const { uid, role_uid: role } = await profileNamed(tx, account, input.InstanceProfileName);
    if (role !== null) {
      throw new AwsError("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.");
    }
    await tx.deleteFrom("instance_profiles").where("uid", "=", uid).execute();
    return {};
  }),
);

const setTags = (
  { store, account }: IamContext,
  name: string,
  change: (row: ProfileRow) => string,
): Promise<Record<string, never>> =>
  store.write(async (tx) => {
    const row = await profileNamed(tx, account, name);
    await tx
      .updateTable("instance_profiles")
      .set({ tags: change(row) })
      .where("uid", "=", row.uid)
      .execute();
    return {};
  });

export const instanceProfileOperations = [
  createInstanceProfile,
  getInstanceProfile,
  listInstanceProfiles,
  listInstanceProfilesForRole,
  addRoleToInstanceProfile,
  removeRoleFromInstanceProfile,
  deleteInstanceProfile,
  operation("TagInstanceProfile", async ({ InstanceProfileName, Tags }, ctx) =>
    setTags(ctx, InstanceProfileName, (row) => withTags(row, Tags)),
  ),
  operation("UntagInstanceProfile", async ({ InstanceProfileName, TagKeys }, ctx) =>
    setTags(ctx, InstanceProfileName, (row) => withoutTags(row, TagKeys)),
  ),
  operation("ListInstanceProfileTags", async (input, { store, account }) =>
    tagPage(await profileNamed(store.read, account, input.InstanceProfileName), input),
  ),
];
