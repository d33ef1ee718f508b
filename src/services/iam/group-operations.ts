// Groups of users.
import type { Reader, Writer } from "../../database/store.ts";
import type { UserGroupsTable } from "../../database/tables/identity.ts";
import { AwsError } from "../../lib/aws-error.ts";
import type { Group } from "../../models/generated/iam.ts";
import { attachedArns } from "./attachment-operations.ts";
import { belowPath, limitExceeded, operation, pageOf } from "./context.ts";
import { uniqueId } from "./credentials.ts";
import { inlinePoliciesOf } from "./inline-policy-operations.ts";
import { iamArn, noSuchOwner } from "./owners.ts";
import { userNamed } from "./users.ts";

const maxGroupsOfUser = 10;

export const describedGroup = (row: UserGroupsTable): Group => ({
  Path: row.path,
  GroupName: row.name,
  GroupId: row.uid,
  Arn: iamArn("group", row),
  CreateDate: new Date(row.created_at),
});

const findGroup = (db: Reader, account: string, name: string): Promise<UserGroupsTable | undefined> =>
  db
    .selectFrom("user_groups")
    .selectAll()
    .where("account", "=", account)
    .where("name_key", "=", name.toLowerCase())
    .executeTakeFirst();

async function groupNamed(db: Reader, account: string, name: string): Promise<UserGroupsTable> {
  const group = await findGroup(db, account, name);
  if (!group) throw noSuchOwner("group", name);
  return group;
}

const groupExists = (name: string): AwsError =>
  new AwsError("EntityAlreadyExists", `Group with name ${name} already exists.`);

const createGroup = operation("CreateGroup", async ({ GroupName: name, Path }, { store, account, random, clock }) =>
  store.write(async (tx) => {
    if (await findGroup(tx, account, name)) throw groupExists(name);
    const row: UserGroupsTable = {
      account,
      name_key: name.toLowerCase(),
      name,
      uid: uniqueId(random, "AGPA", 21),
      path: Path ?? "/",
      created_at: clock.now().getTime(),
    };
    await tx.insertInto("user_groups").values(row).execute();
    return { Group: describedGroup(row) };
  }),
);

const membersOf = (db: Reader, uid: string) =>
  db
    .selectFrom("users")
    .innerJoin("group_members", "user_uid", "uid")
    .selectAll("users")
    .where("group_uid", "=", uid)
    .orderBy("name_key")
    .execute();

const getGroup = operation("GetGroup", async (input, { store, account }) => {
  const group = await groupNamed(store.read, account, input.GroupName);
  const { items, rest } = pageOf(await membersOf(store.read, group.uid), (row) => row.name_key, input);
  const Users = items.map((row) => ({
    Path: row.path,
    UserName: row.name,
    UserId: row.uid,
    Arn: iamArn("user", row),
    CreateDate: new Date(row.created_at),
  }));
  return { Group: describedGroup(group), Users, ...rest };
});

const listGroups = operation("ListGroups", async (input, { store, account }) => {
  const rows = await store.read
    .selectFrom("user_groups")
    .selectAll()
    .where("account", "=", account)
    .orderBy("name_key")
    .execute();
  const { items, rest } = pageOf(belowPath(rows, input.PathPrefix), (row) => row.name_key, input);
  return { Groups: items.map(describedGroup), ...rest };
});

/** In the order of names. */
export const groupsOfUser = (db: Reader, uid: string): Promise<UserGroupsTable[]> =>
  db
    .selectFrom("user_groups")
    .innerJoin("group_members", "group_uid", "uid")
    .selectAll("user_groups")
    .where("user_uid", "=", uid)
    .orderBy("name_key")
    .execute();

const listGroupsForUser = operation("ListGroupsForUser", async (input, { store, account }) => {
  const user = await userNamed(store.read, account, input.UserName);
  const { items, rest } = pageOf(await groupsOfUser(store.read, user.uid), (row) => row.name_key, input);
  return { Groups: items.map(describedGroup), ...rest };
});

const updateGroup = operation("UpdateGroup", async (input, { store, account }) =>
  store.write(async (tx) => {
    const group = await groupNamed(tx, account, input.GroupName);
    const name = input.NewGroupName ?? group.name;
    const namesake = await findGroup(tx, account, name);
    if (namesake && namesake.uid !== group.uid) throw groupExists(name);
    const changes = { name, name_key: name.toLowerCase(), path: input.NewPath ?? group.path };
    await tx.updateTable("user_groups").set(changes).where("uid", "=", group.uid).execute();
    return {};
  }),
);

const conflict = (what: string): AwsError =>
  new AwsError("DeleteConflict", `Cannot delete entity, must ${what} first.`);

async function requireBare(tx: Writer, uid: string): Promise<void> {
  if ((await membersOf(tx, uid)).length > 0) throw conflict("remove users from group");
  if ((await attachedArns(tx, uid)).length > 0) throw conflict("detach all policies");
  if ((await inlinePoliciesOf(tx, uid)).length > 0) throw conflict("delete policies");
}

const deleteGroup = operation("DeleteGroup", async ({ GroupName }, { store, account }) =>
  store.write(async (tx) => {
    const { uid } = await groupNamed(tx, account, GroupName);
    await requireBare(tx, uid);
    await tx.deleteFrom("user_groups").where("uid", "=", uid).execute();
    return {};
  }),
);

const addUserToGroup = operation("AddUserToGroup", async ({ GroupName, UserName }, { store, account }) =>
  store.write(async (tx) => {
    const group = await groupNamed(tx, account, GroupName);
    const user = await userNamed(tx, account, UserName);
    const others = (await groupsOfUser(tx, user.uid)).filter(({ uid }) => uid !== group.uid);
    if (others.length >= maxGroupsOfUser) {
      throw limitExceeded(`Cannot exceed quota for GroupsPerUser: ${maxGroupsOfUser}`);
    }
    await tx
      .insertInto("group_members")
      .values({ group_uid: group.uid, user_uid: user.uid })
      .onConflict((clash) => clash.columns(["group_uid", "user_uid"]).doNothing())
      .execute();
    return {};
  }),
);

const removeUserFromGroup = operation("RemoveUserFromGroup", async ({ GroupName, UserName }, { store, account }) =>
  store.write(async (tx) => {
    const group = await groupNamed(tx, account, GroupName);
    const user = await userNamed(tx, account, UserName);
    await tx.deleteFrom("group_members").where("group_uid", "=", group.uid).where("user_uid", "=", user.uid).execute();
    return {};
  }),
);

export const groupOperations = [
  createGroup,
  getGroup,
  listGroups,
  listGroupsForUser,
  updateGroup,
  deleteGroup,
  addUserToGroup,
  removeUserFromGroup,
];
