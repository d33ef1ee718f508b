// Access keys of users, two each; and of root.
import type { Reader } from "../../database/store.ts";
import type { AccessKeysTable } from "../../database/tables/identity.ts";
import type { Selectable } from "kysely";
import { AwsError } from "../../lib/aws-error.ts";
import { limitExceeded, operation, pageOf, type IamContext } from "./context.ts";
import { newAccessKey } from "./credentials.ts";
import { iamArn } from "./owners.ts";
import { nameOrOwn, userNamed } from "./users.ts";

const maxKeys = 2;

interface KeyOwner {
  /** Undefined for root. */
  readonly name: string | undefined;
  readonly uid: string;
  readonly arn: string;
}

async function keyOwner(db: Reader, { account, caller }: IamContext, given: string | undefined): Promise<KeyOwner> {
  const name = nameOrOwn(given, caller);
  if (name === undefined) return { name, uid: account, arn: caller.arn };
  const user = await userNamed(db, account, name);
  return { name: user.name, uid: user.uid, arn: iamArn("user", user) };
}

const noSuchKey = (id: string): AwsError =>
  new AwsError("NoSuchEntity", `The Access Key with id ${id} cannot be found.`);

type KeyRow = Selectable<AccessKeysTable>;

const keysOf = (db: Reader, account: string, { uid }: KeyOwner): Promise<KeyRow[]> =>
  db
    .selectFrom("access_keys")
    .selectAll()
    .where("account", "=", account)
    .where("user_id", "=", uid)
    .orderBy("access_key_id")
    .execute();

const statusOf = (row: KeyRow): "Active" | "Inactive" => (row.is_active === 1 ? "Active" : "Inactive");

const createAccessKey = operation("CreateAccessKey", async ({ UserName }, ctx) => {
  const { store, account, random, clock } = ctx;
  const key = newAccessKey(random, "AKIA");
  const now = clock.now();
  return store.write(async (tx) => {
    const owner = await keyOwner(tx, ctx, UserName);
    if ((await keysOf(tx, account, owner)).length >= maxKeys) {
      throw limitExceeded(`Cannot exceed quota for AccessKeysPerUser: ${maxKeys}`);
    }
    const row = { account, principal_arn: owner.arn, user_id: owner.uid, is_active: 1, created_at: now.getTime() };
    await tx
      .insertInto("access_keys")
      .values({ ...row, access_key_id: key.accessKeyId, secret_access_key: key.secretAccessKey })
      .execute();
    return {
      AccessKey: {
        UserName: owner.name ?? "root",
        AccessKeyId: key.accessKeyId,
        Status: "Active" as const,
        SecretAccessKey: key.secretAccessKey,
        CreateDate: now,
      },
    };
  });
});

const listAccessKeys = operation("ListAccessKeys", async (input, ctx) => {
  const { store, account } = ctx;
  const owner = await keyOwner(store.read, ctx, input.UserName);
  const { items, rest } = pageOf(await keysOf(store.read, account, owner), (row) => row.access_key_id, input);
  const AccessKeyMetadata = items.map((row) => ({
    UserName: owner.name,
    AccessKeyId: row.access_key_id,
    Status: statusOf(row),
    CreateDate: new Date(row.created_at),
  }));
  return { AccessKeyMetadata, ...rest };
});

const updateAccessKey = operation("UpdateAccessKey", async ({ UserName, AccessKeyId, Status }, ctx) => {
  if (Status === "Expired") throw new AwsError("ValidationError", "A key cannot be made Expired by hand.");
  await ctx.store.write(async (tx) => {
    const owner = await keyOwner(tx, ctx, UserName);
    const { numUpdatedRows } = await tx
      .updateTable("access_keys")
      .set({ is_active: Status === "Active" ? 1 : 0 })
      .where("access_key_id", "=", AccessKeyId)
      .where("user_id", "=", owner.uid)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw noSuchKey(AccessKeyId);
  });
  ctx.identity.forgetAll();
  return {};
});

const deleteAccessKey = operation("DeleteAccessKey", async ({ UserName, AccessKeyId }, ctx) => {
  await ctx.store.write(async (tx) => {
    const owner = await keyOwner(tx, ctx, UserName);
    const { numDeletedRows } = await tx
      .deleteFrom("access_keys")
      .where("access_key_id", "=", AccessKeyId)
      .where("user_id", "=", owner.uid)
      .executeTakeFirst();
    if (numDeletedRows === 0n) throw noSuchKey(AccessKeyId);
  });
  ctx.identity.forgetAll();
  return {};
});

const getAccessKeyLastUsed = operation("GetAccessKeyLastUsed", async ({ AccessKeyId }, { store, account, caller }) => {
  const row = await store.read
    .selectFrom("access_keys")
    .selectAll()
    .where("access_key_id", "=", AccessKeyId)
    .where("account", "=", account)
    .executeTakeFirst();
  if (!row) {
    // AWS does not tell an unknown key from another account's.
    const message = `User: ${caller.arn} is not authorized to perform: iam:GetAccessKeyLastUsed on resource: access key ${AccessKeyId}`;
    throw new AwsError("AccessDenied", message, { httpStatus: 403 });
  }
  return {
    UserName: row.principal_arn.slice(row.principal_arn.lastIndexOf("/") + 1),
    AccessKeyLastUsed: {
      LastUsedDate: row.last_used_at === null ? undefined : new Date(row.last_used_at),
      ServiceName: row.last_used_service ?? "N/A",
      Region: row.last_used_region ?? "N/A",
    },
  };
});

export const accessKeyOperations = [
  createAccessKey,
  listAccessKeys,
  updateAccessKey,
  deleteAccessKey,
  getAccessKeyLastUsed,
];
