// Versions of managed policies: up to five, of which one is in force.
import type { Reader } from "../../database/store.ts";
import { AwsError } from "../../lib/aws-error.ts";
import type { PolicyVersion } from "../../models/generated/iam.ts";
import { encodedDocument, limitExceeded, operation, pageOf } from "./context.ts";
import { managedPolicyDocument } from "./managed-policies.ts";
import { findVersion, type PolicyRow, type PolicyVersionRow } from "./policies.ts";
import { awsPolicyDate, checkManagedPolicy, ownPolicy } from "./policy-operations.ts";

const maxVersions = 5;

const noSuchVersion = (arn: string, id: string): AwsError =>
  new AwsError("NoSuchEntity", `Policy ${arn} version ${id} does not exist or is not attachable.`);

const numberOf = (id: string): number => Number(/^v([1-9]\d{0,8})$/.exec(id)?.[1] ?? Number.NaN);

export const listedVersion = (policy: PolicyRow, { version, created_at }: PolicyVersionRow): PolicyVersion => ({
  VersionId: `v${version}`,
  IsDefaultVersion: version === policy.default_version,
  CreateDate: new Date(created_at),
});

/** The newest first. */
export const versionsOf = (db: Reader, uid: string): Promise<PolicyVersionRow[]> =>
  db
    .selectFrom("managed_policy_versions")
    .selectAll()
    .where("policy_uid", "=", uid)
    .orderBy("version", "desc")
    .execute();

async function versionNamed(db: Reader, policy: PolicyRow, arn: string, id: string): Promise<PolicyVersionRow> {
  const number = numberOf(id);
  const row = Number.isNaN(number) ? undefined : await findVersion(db, policy.uid, number);
  if (!row) throw noSuchVersion(arn, id);
  return row;
}

const createPolicyVersion = operation("CreatePolicyVersion", async (input, { store, account, clock }) => {
  checkManagedPolicy(input.PolicyDocument);
  return store.write(async (tx) => {
    const policy = await ownPolicy(tx, account, input.PolicyArn);
    if ((await versionsOf(tx, policy.uid)).length >= maxVersions) {
      throw limitExceeded(
        `A managed policy can have up to ${maxVersions} versions. ` +
          "Before you create a new version, you must delete an existing version.",
      );
    }
    const created_at = clock.now().getTime();
    const version = policy.last_version + 1;
    const row = { policy_uid: policy.uid, version, document: input.PolicyDocument, created_at };
    await tx.insertInto("managed_policy_versions").values(row).execute();
    const default_version = input.SetAsDefault === true ? version : policy.default_version;
    await tx
      .updateTable("managed_policies")
      .set({ last_version: version, default_version, updated_at: created_at })
      .where("uid", "=", policy.uid)
      .execute();
    return { PolicyVersion: listedVersion({ ...policy, default_version }, row) };
  });
});

const getPolicyVersion = operation("GetPolicyVersion", async ({ PolicyArn, VersionId }, { store, account }) => {
  const document = managedPolicyDocument(PolicyArn);
  if (document !== undefined) {
    if (VersionId !== "v1") throw noSuchVersion(PolicyArn, VersionId);
    const aws = { VersionId, IsDefaultVersion: true, CreateDate: awsPolicyDate };
    return { PolicyVersion: { ...aws, Document: encodedDocument(document) } };
  }
  const policy = await ownPolicy(store.read, account, PolicyArn);
  const version = await versionNamed(store.read, policy, PolicyArn, VersionId);
  return { PolicyVersion: { ...listedVersion(policy, version), Document: encodedDocument(version.document) } };
});

const listPolicyVersions = operation("ListPolicyVersions", async (input, { store, account }) => {
  if (managedPolicyDocument(input.PolicyArn) !== undefined) {
    return { Versions: [{ VersionId: "v1", IsDefaultVersion: true, CreateDate: awsPolicyDate }], IsTruncated: false };
  }
  const policy = await ownPolicy(store.read, account, input.PolicyArn);
  // Markers name what comes later in the order of keys, and the newest comes first.
  const keyOf = ({ version }: PolicyVersionRow): string => String(1e9 - version);
  const { items, rest } = pageOf(await versionsOf(store.read, policy.uid), keyOf, input);
  return { Versions: items.map((row) => listedVersion(policy, row)), ...rest };
});

const setDefaultPolicyVersion = operation(
  "SetDefaultPolicyVersion",
  async ({ PolicyArn, VersionId }, { store, account, clock }) =>
    store.write(async (tx) => {
      const policy = await ownPolicy(tx, account, PolicyArn);
      const { version } = await versionNamed(tx, policy, PolicyArn, VersionId);
      const changes = { default_version: version, updated_at: clock.now().getTime() };
      await tx.updateTable("managed_policies").set(changes).where("uid", "=", policy.uid).execute();
      return {};
    }),
);

const deletePolicyVersion = operation("DeletePolicyVersion", async ({ PolicyArn, VersionId }, { store, account }) =>
  store.write(async (tx) => {
    const policy = await ownPolicy(tx, account, PolicyArn);
    const { version } = await versionNamed(tx, policy, PolicyArn, VersionId);
    if (version === policy.default_version) {
      throw new AwsError("DeleteConflict", "Cannot delete the default version of a policy.");
    }
    await tx
      .deleteFrom("managed_policy_versions")
      .where("policy_uid", "=", policy.uid)
      .where("version", "=", version)
      .execute();
    return {};
  }),
);

export const policyVersionOperations = [
  createPolicyVersion,
  getPolicyVersion,
  listPolicyVersions,
  setDefaultPolicyVersion,
  deletePolicyVersion,
];
