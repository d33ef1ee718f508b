// Users: make, read, rename, delete, tag.
import type { Writer } from "../../database/store.ts";
import { AwsError } from "../../lib/aws-error.ts";
import type { User } from "../../models/generated/iam.ts";
import { attachedArns, requireAttachable } from "./attachment-operations.ts";
import { belowPath, operation, pageOf, type IamContext } from "./context.ts";
import { uniqueId } from "./credentials.ts";
import { inlinePoliciesOf } from "./inline-policy-operations.ts";
import { iamArn } from "./owners.ts";
import { boundaryOf } from "./permissions-boundary-operations.ts";
import { firstTags, shownTags, tagPage, withoutTags, withTags } from "./tags.ts";
import { findUser, nameOrOwn, userNamed, type UserRow } from "./users.ts";

/** Lists leave out tags and the boundary. */
const listed = (row: UserRow): User => ({
  Path: row.path,
  UserName: row.name,
  UserId: row.uid,
  Arn: iamArn("user", row),
  CreateDate: new Date(row.created_at),
});

export const describedUser = (row: UserRow): User => ({
  ...listed(row),
  PermissionsBoundary: boundaryOf(row),
  Tags: shownTags(row),
});

const userExists = (name: string): AwsError =>
  new AwsError("EntityAlreadyExists", `User with name ${name} already exists.`);

const createUser = operation("CreateUser", async (input, { store, account, random, clock }) =>
  store.write(async (tx) => {
    const { UserName: name, PermissionsBoundary: boundary } = input;
    if (await findUser(tx, account, name)) throw userExists(name);
    if (boundary !== undefined) await requireAttachable(tx, account, boundary);
    const row: UserRow = {
      account,
      name_key: name.toLowerCase(),
      name,
      uid: uniqueId(random, "AIDA", 21),
      path: input.Path ?? "/",
      permissions_boundary: boundary ?? null,
      tags: firstTags(input.Tags),
      created_at: clock.now().getTime(),
    };
    await tx.insertInto("users").values(row).execute();
    return { User: describedUser(row) };
  }),
);

/** The account is as old as the first role that it was made with. */
async function rootUser({ store, account, caller }: IamContext): Promise<User> {
  const oldest = await store.read
    .selectFrom("roles")
    .select((eb) => eb.fn.min("created_at").as("created_at"))
    .where("account", "=", account)
    .executeTakeFirst();
  return {
    Path: "/",
    UserName: "root",
    UserId: account,
    Arn: caller.arn,
    CreateDate: new Date(oldest?.created_at ?? 0),
  };
}

const getUser = operation("GetUser", async ({ UserName }, ctx) => {
  const name = nameOrOwn(UserName, ctx.caller);
  if (name === undefined) return { User: await rootUser(ctx) };
  return { User: describedUser(await userNamed(ctx.store.read, ctx.account, name)) };
});

const listUsers = operation("ListUsers", async (input, { store, account }) => {
  const rows = await store.read
    .selectFrom("users")
    .selectAll()
    .where("account", "=", account)
    .orderBy("name_key")
    .execute();
  const { items, rest } = pageOf(belowPath(rows, input.PathPrefix), (row) => row.name_key, input);
  return { Users: items.map(listed), ...rest };
});

const updateUser = operation("UpdateUser", async (input, { store, account, identity }) => {
  await store.write(async (tx) => {
    const user = await userNamed(tx, account, input.UserName);
    const name = input.NewUserName ?? user.name;
    const namesake = await findUser(tx, account, name);
    if (namesake && namesake.uid !== user.uid) throw userExists(name);
    const path = input.NewPath ?? user.path;
    const name_key = name.toLowerCase();
    await tx.updateTable("users").set({ name, name_key, path }).where("uid", "=", user.uid).execute();
    const principal_arn = iamArn("user", { account, path, name });
    await tx.updateTable("access_keys").set({ principal_arn }).where("user_id", "=", user.uid).execute();
  });
  identity.forgetAll();
  return {};
});

const conflict = (what: string): AwsError =>
  new AwsError("DeleteConflict", `Cannot delete entity, must ${what} first.`);

async function requireBare(tx: Writer, uid: string): Promise<void> {
  const keys = await tx.selectFrom("access_keys").select("access_key_id").where("user_id", "=", uid).execute();
  if (keys.length > 0) throw conflict("delete access keys");
  if ((await attachedArns(tx, uid)).length > 0) throw conflict("detach all policies");
  if ((await inlinePoliciesOf(tx, uid)).length > 0) throw conflict("delete policies");
  const groups = await tx.selectFrom("group_members").select("group_uid").where("user_uid", "=", uid).execute();
  if (groups.length > 0) throw conflict("remove users from group");
}

const deleteUser = operation("DeleteUser", async ({ UserName }, { store, account, identity }) => {
  await store.write(async (tx) => {
    const { uid } = await userNamed(tx, account, UserName);
    await requireBare(tx, uid);
    await tx.deleteFrom("users").where("uid", "=", uid).execute();
  });
  identity.forgetAll();
  return {};
});

const setTags = (
  { store, account }: IamContext,
  name: string,
  change: (row: UserRow) => string,
): Promise<Record<string, never>> =>
  store.write(async (tx) => {
    const user = await userNamed(tx, account, name);
    await tx
      .updateTable("users")
      .set({ tags: change(user) })
      .where("uid", "=", user.uid)
      .execute();
    return {};
  });

export const userOperations = [
  createUser,
  getUser,
  listUsers,
  updateUser,
  deleteUser,
  operation("TagUser", async ({ UserName, Tags }, ctx) => setTags(ctx, UserName, (row) => withTags(row, Tags))),
  operation("UntagUser", async ({ UserName, TagKeys }, ctx) =>
    setTags(ctx, UserName, (row) => withoutTags(row, TagKeys)),
  ),
  operation("ListUserTags", async (input, { store, account }) =>
    tagPage(await userNamed(store.read, account, input.UserName), input),
  ),
];
