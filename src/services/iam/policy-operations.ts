// Managed policies: an account's own with up to five versions, and AWS's, which can be read and attached.
import type { Reader, Writer } from "../../database/store.ts";
import { AwsError } from "../../lib/aws-error.ts";
import type { Policy } from "../../models/generated/iam.ts";
import { holdersOf } from "./attachment-operations.ts";
import { checkPolicyDocument, limitExceeded, operation, pageOf, policySize, type IamContext } from "./context.ts";
import { uniqueId } from "./credentials.ts";
import { managedPolicyArns, managedPolicyDocument } from "./managed-policies.ts";
import { iamArn } from "./owners.ts";
import { findPolicy, policyNameOf, policyPathOf, type PolicyRow } from "./policies.ts";
import { firstTags, shownTags, tagPage, withoutTags, withTags } from "./tags.ts";

const maxSize = 6_144;

export const noSuchPolicy = (arn: string): AwsError => new AwsError("NoSuchEntity", `Policy ${arn} was not found.`);

export function checkManagedPolicy(document: string): void {
  checkPolicyDocument(document, "identity");
  if (policySize(document) > maxSize) throw limitExceeded(`Cannot exceed quota for PolicySize: ${maxSize}`);
}

/** The account's own policy. AWS's cannot be changed: whoever asks is told that they may not. */
export async function ownPolicy(db: Reader, account: string, arn: string): Promise<PolicyRow> {
  if (managedPolicyDocument(arn) !== undefined) {
    throw new AwsError("AccessDenied", `Policy ${arn} belongs to AWS and cannot be changed.`, { httpStatus: 403 });
  }
  const row = await findPolicy(db, arn);
  if (!row || row.account !== account) throw noSuchPolicy(arn);
  return row;
}

/** AWS's policies are as old as IAM's managed policies: 2015-02-06. */
export const awsPolicyDate = new Date(Date.UTC(2015, 1, 6, 18, 39, 46));

async function usesOf(db: Reader, account: string, arn: string) {
  const attached = await holdersOf(db, account, arn, "PermissionsPolicy");
  const bounded = await holdersOf(db, account, arn, "PermissionsBoundary");
  return { AttachmentCount: attached.length, PermissionsBoundaryUsageCount: bounded.length, IsAttachable: true };
}

async function awsPolicy(db: Reader, account: string, arn: string): Promise<Policy> {
  const name = policyNameOf(arn);
  return {
    PolicyName: name,
    PolicyId: `ANPA${Buffer.from(name).toString("hex").toUpperCase().slice(0, 17).padEnd(17, "A")}`,
    Arn: arn,
    Path: policyPathOf(arn),
    DefaultVersionId: "v1",
    ...(await usesOf(db, account, arn)),
    CreateDate: awsPolicyDate,
    UpdateDate: awsPolicyDate,
  };
}

/** As lists show it: without description and tags. */
export async function listedPolicy(db: Reader, row: PolicyRow): Promise<Policy> {
  const arn = iamArn("policy", row);
  return {
    PolicyName: row.name,
    PolicyId: row.uid,
    Arn: arn,
    Path: row.path,
    DefaultVersionId: `v${row.default_version}`,
    ...(await usesOf(db, row.account, arn)),
    CreateDate: new Date(row.created_at),
    UpdateDate: new Date(row.updated_at),
  };
}

const createPolicy = operation("CreatePolicy", async (input, { store, account, random, clock }) => {
  checkManagedPolicy(input.PolicyDocument);
  return store.write(async (tx) => {
    const name = input.PolicyName;
    const created_at = clock.now().getTime();
    const row: PolicyRow = {
      account,
      name_key: name.toLowerCase(),
      name,
      uid: uniqueId(random, "ANPA", 21),
      path: input.Path ?? "/",
      description: input.Description ?? null,
      default_version: 1,
      last_version: 1,
      tags: firstTags(input.Tags),
      created_at,
      updated_at: created_at,
    };
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto("managed_policies")
      .values(row)
      .onConflict((conflict) => conflict.columns(["account", "name_key"]).doNothing())
      .executeTakeFirst();
    if (numInsertedOrUpdatedRows !== 1n) {
      const message = `A policy called ${name} already exists. Duplicate names are not allowed.`;
      throw new AwsError("EntityAlreadyExists", message);
    }
    const version = { policy_uid: row.uid, version: 1, document: input.PolicyDocument, created_at };
    await tx.insertInto("managed_policy_versions").values(version).execute();
    return { Policy: { ...(await listedPolicy(tx, row)), Tags: shownTags(row) } };
  });
});

const getPolicy = operation("GetPolicy", async ({ PolicyArn }, { store, account }) => {
  if (managedPolicyDocument(PolicyArn) !== undefined) {
    return { Policy: await awsPolicy(store.read, account, PolicyArn) };
  }
  const row = await ownPolicy(store.read, account, PolicyArn);
  const Description = row.description ?? undefined;
  return { Policy: { ...(await listedPolicy(store.read, row)), Description, Tags: shownTags(row) } };
});

export const ownPolicies = (db: Reader, account: string): Promise<PolicyRow[]> =>
  db.selectFrom("managed_policies").selectAll().where("account", "=", account).orderBy("name_key").execute();

const listPolicies = operation("ListPolicies", async (input, { store, account }) => {
  const { read } = store;
  const { Scope = "All", OnlyAttached, PathPrefix = "/", PolicyUsageFilter } = input;
  const all: Policy[] = [];
  if (Scope !== "AWS") for (const row of await ownPolicies(read, account)) all.push(await listedPolicy(read, row));
  if (Scope !== "Local") for (const arn of managedPolicyArns) all.push(await awsPolicy(read, account, arn));
  const isUsed = ({ AttachmentCount = 0, PermissionsBoundaryUsageCount = 0 }: Policy): boolean => {
    if (PolicyUsageFilter === "PermissionsPolicy") return AttachmentCount > 0;
    if (PolicyUsageFilter === "PermissionsBoundary") return PermissionsBoundaryUsageCount > 0;
    return OnlyAttached !== true || AttachmentCount + PermissionsBoundaryUsageCount > 0;
  };
  const wanted = all.filter((policy) => policy.Path?.startsWith(PathPrefix) === true && isUsed(policy));
  const keyOf = ({ Arn = "" }: Policy): string => Arn;
  const { items, rest } = pageOf(
    wanted.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
    keyOf,
    input,
  );
  return { Policies: items, ...rest };
});

async function requireUnused(tx: Writer, account: string, arn: string, uid: string): Promise<void> {
  if ((await holdersOf(tx, account, arn)).length > 0) {
    throw new AwsError("DeleteConflict", "Cannot delete a policy attached to entities.");
  }
  const versions = await tx
    .selectFrom("managed_policy_versions")
    .select("version")
    .where("policy_uid", "=", uid)
    .execute();
  if (versions.length > 1) {
    throw new AwsError(
      "DeleteConflict",
      "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. " +
        "The default version is deleted with the policy.",
    );
  }
}

const deletePolicy = operation("DeletePolicy", async ({ PolicyArn }, { store, account }) =>
  store.write(async (tx) => {
    const { uid } = await ownPolicy(tx, account, PolicyArn);
    await requireUnused(tx, account, PolicyArn, uid);
    await tx.deleteFrom("managed_policy_versions").where("policy_uid", "=", uid).execute();
    await tx.deleteFrom("managed_policies").where("uid", "=", uid).execute();
    return {};
  }),
);

const setTags = (
  { store, account }: IamContext,
  arn: string,
  change: (row: PolicyRow) => string,
): Promise<Record<string, never>> =>
  store.write(async (tx) => {
    const policy = await ownPolicy(tx, account, arn);
    await tx
      .updateTable("managed_policies")
      .set({ tags: change(policy) })
      .where("uid", "=", policy.uid)
      .execute();
    return {};
  });

export const policyOperations = [
  createPolicy,
  getPolicy,
  listPolicies,
  deletePolicy,
  operation("TagPolicy", async ({ PolicyArn, Tags }, ctx) => setTags(ctx, PolicyArn, (row) => withTags(row, Tags))),
  operation("UntagPolicy", async ({ PolicyArn, TagKeys }, ctx) =>
    setTags(ctx, PolicyArn, (row) => withoutTags(row, TagKeys)),
  ),
  operation("ListPolicyTags", async (input, { store, account }) => {
    if (managedPolicyDocument(input.PolicyArn) !== undefined) return { Tags: [], IsTruncated: false };
    return tagPage(await ownPolicy(store.read, account, input.PolicyArn), input);
  }),
];
