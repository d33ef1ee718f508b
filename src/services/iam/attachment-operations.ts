// Managed policies attached to users, groups and roles, and who has one attached.
import type { Reader } from "../../database/store.ts";
import { AwsError } from "../../lib/aws-error.ts";
import type { EntityType } from "../../models/generated/iam.ts";
import { belowPath, limitExceeded, operation, pageOf, type IamContext } from "./context.ts";
import { ownerNamed, type OwnerKind } from "./owners.ts";
import { policyDocumentOf, policyNameOf, policyPathOf } from "./policies.ts";

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: the most that AWS grants. */
const maxAttached = 20;
const quotaNames: Readonly<Record<OwnerKind, string>> = {
  user: "PoliciesPerUser",
  group: "PoliciesPerGroup",
  role: "PoliciesPerRole",
};

export const attachedArns = async (db: Reader, uid: string): Promise<string[]> => {
  const rows = await db
    .selectFrom("policy_attachments")
    .select("policy_arn")
    .where("owner_uid", "=", uid)
    .orderBy("policy_arn")
    .execute();
  return rows.map((row) => row.policy_arn);
};

export const attachedPolicies = (arns: readonly string[]) =>
  arns.map((arn) => ({ PolicyName: policyNameOf(arn), PolicyArn: arn }));

/** Throws NoSuchEntity where there is no such policy for this account. */
export async function requireAttachable(db: Reader, account: string, arn: string): Promise<void> {
  if ((await policyDocumentOf(db, account, arn)) !== undefined) return;
  throw new AwsError("NoSuchEntity", `Policy ${arn} does not exist or is not attachable.`);
}

const attach = (
  { store, account, clock }: IamContext,
  kind: OwnerKind,
  name: string,
  arn: string,
): Promise<Record<string, never>> =>
  store.write(async (tx) => {
    const { uid } = await ownerNamed(tx, kind, account, name);
    await requireAttachable(tx, account, arn);
    const others = (await attachedArns(tx, uid)).filter((each) => each !== arn);
    if (others.length >= maxAttached) {
      throw limitExceeded(`Cannot exceed quota for ${quotaNames[kind]}: ${maxAttached}`);
    }
    await tx
      .insertInto("policy_attachments")
      .values({ owner_uid: uid, policy_arn: arn, attached_at: clock.now().getTime() })
      .onConflict((conflict) => conflict.columns(["owner_uid", "policy_arn"]).doNothing())
      .execute();
    return {};
  });

const detach = (
  { store, account }: IamContext,
  kind: OwnerKind,
  name: string,
  arn: string,
): Promise<Record<string, never>> =>
  store.write(async (tx) => {
    const { uid } = await ownerNamed(tx, kind, account, name);
    const { numDeletedRows } = await tx
      .deleteFrom("policy_attachments")
      .where("owner_uid", "=", uid)
      .where("policy_arn", "=", arn)
      .executeTakeFirst();
    if (numDeletedRows === 0n) throw new AwsError("NoSuchEntity", `Policy ${arn} was not found.`);
    return {};
  });

type ListInput = Parameters<typeof pageOf>[2] & { readonly PathPrefix?: string | undefined };

async function list({ store, account }: IamContext, kind: OwnerKind, name: string, input: ListInput) {
  const { uid } = await ownerNamed(store.read, kind, account, name);
  const arns = await attachedArns(store.read, uid);
  const below = arns.filter((arn) => policyPathOf(arn).startsWith(input.PathPrefix ?? "/"));
  const { items, rest } = pageOf(below, (arn) => arn, input);
  return { AttachedPolicies: attachedPolicies(items), ...rest };
}

interface Entity {
  readonly uid: string;
  readonly name: string;
  readonly path: string;
}

const attachedTo = (db: Reader, table: "users" | "user_groups" | "roles", account: string, arn: string) =>
  db
    .selectFrom(table)
    .innerJoin("policy_attachments", "owner_uid", "uid")
    .select(["uid", "name", "path"])
    .where("account", "=", account)
    .where("policy_arn", "=", arn)
    .execute();

const boundedBy = (db: Reader, table: "users" | "roles", account: string, arn: string) =>
  db
    .selectFrom(table)
    .select(["uid", "name", "path"])
    .where("account", "=", account)
    .where("permissions_boundary", "=", arn)
    .execute();

interface Holder extends Entity {
  readonly type: "Group" | "Role" | "User";
}

const named = (type: Holder["type"], entities: readonly Entity[]): Holder[] =>
  entities.map((each) => ({ ...each, type }));

/** Everything that has the policy, as permissions or as a boundary. */
export async function holdersOf(db: Reader, account: string, arn: string, usage?: string): Promise<Holder[]> {
  if (usage === "PermissionsBoundary") {
    return [
      ...named("Role", await boundedBy(db, "roles", account, arn)),
      ...named("User", await boundedBy(db, "users", account, arn)),
    ];
  }
  const holders = [
    ...named("Group", await attachedTo(db, "user_groups", account, arn)),
    ...named("Role", await attachedTo(db, "roles", account, arn)),
    ...named("User", await attachedTo(db, "users", account, arn)),
  ];
  if (usage === "PermissionsPolicy") return holders;
  const known = new Set(holders.map(({ uid }) => uid));
  const bounded = await holdersOf(db, account, arn, "PermissionsBoundary");
  return [...holders, ...bounded.filter(({ uid }) => !known.has(uid))];
}

const listEntitiesForPolicy = operation("ListEntitiesForPolicy", async (input, { store, account }) => {
  const { PolicyArn, PolicyUsageFilter, EntityFilter } = input;
  if ((await policyDocumentOf(store.read, account, PolicyArn)) === undefined) {
    throw new AwsError("NoSuchEntity", `Policy ${PolicyArn} does not exist.`);
  }
  const holders = await holdersOf(store.read, account, PolicyArn, PolicyUsageFilter);
  const wanted = holders.filter(
    ({ type }) => EntityFilter === undefined || (type satisfies EntityType) === EntityFilter,
  );
  const keyOf = ({ type, name }: Holder): string => `${type}/${name.toLowerCase()}`;
  const sorted = belowPath(wanted, input.PathPrefix).toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const { items, rest } = pageOf(sorted, keyOf, input);
  const of = (type: Holder["type"]): Holder[] => items.filter((each) => each.type === type);
  return {
    PolicyGroups: of("Group").map(({ name, uid }) => ({ GroupName: name, GroupId: uid })),
    PolicyUsers: of("User").map(({ name, uid }) => ({ UserName: name, UserId: uid })),
    PolicyRoles: of("Role").map(({ name, uid }) => ({ RoleName: name, RoleId: uid })),
    ...rest,
  };
});

export const attachmentOperations = [
  operation("AttachUserPolicy", async (input, ctx) => attach(ctx, "user", input.UserName, input.PolicyArn)),
  operation("AttachGroupPolicy", async (input, ctx) => attach(ctx, "group", input.GroupName, input.PolicyArn)),
  operation("AttachRolePolicy", async (input, ctx) => attach(ctx, "role", input.RoleName, input.PolicyArn)),
  operation("DetachUserPolicy", async (input, ctx) => detach(ctx, "user", input.UserName, input.PolicyArn)),
  operation("DetachGroupPolicy", async (input, ctx) => detach(ctx, "group", input.GroupName, input.PolicyArn)),
  operation("DetachRolePolicy", async (input, ctx) => detach(ctx, "role", input.RoleName, input.PolicyArn)),
  operation("ListAttachedUserPolicies", async (input, ctx) => list(ctx, "user", input.UserName, input)),
  operation("ListAttachedGroupPolicies", async (input, ctx) => list(ctx, "group", input.GroupName, input)),
  operation("ListAttachedRolePolicies", async (input, ctx) => list(ctx, "role", input.RoleName, input)),
  listEntitiesForPolicy,
];
