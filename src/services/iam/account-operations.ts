// What an account has, as a whole.
import type { Reader } from "../../database/store.ts";
import { attachedArns, attachedPolicies } from "./attachment-operations.ts";
import { encodedDocument, operation, pageOf } from "./context.ts";
import { describedGroup, groupsOfUser } from "./group-operations.ts";
import { inlinePoliciesOf } from "./inline-policy-operations.ts";
import { describedProfile, profilesOfRole } from "./instance-profile-operations.ts";
import { iamArn } from "./owners.ts";
import { listedPolicy, ownPolicies } from "./policy-operations.ts";
import { listedVersion, versionsOf } from "./policy-version-operations.ts";
import { describedRole } from "./role-operations.ts";
import { describedUser } from "./user-operations.ts";

/** The quotas that are kept here. */
const quotas = {
  AccessKeysPerUserQuota: 2,
  AttachedPoliciesPerGroupQuota: 20,
  AttachedPoliciesPerRoleQuota: 20,
  AttachedPoliciesPerUserQuota: 20,
  GroupPolicySizeQuota: 5_120,
  GroupsPerUserQuota: 10,
  PolicySizeQuota: 6_144,
  RolePolicySizeQuota: 10_240,
  UserPolicySizeQuota: 2_048,
  VersionsPerPolicyQuota: 5,
};

const tables = ["users", "user_groups", "roles", "managed_policies", "instance_profiles"] as const;

async function count(db: Reader, table: (typeof tables)[number], account: string): Promise<number> {
  const row = await db
    .selectFrom(table)
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("account", "=", account)
    .executeTakeFirst();
  return row?.count ?? 0;
}

const getAccountSummary = operation("GetAccountSummary", async (_, { store, account }) => {
  const { read } = store;
  const SummaryMap = {
    ...quotas,
    Users: await count(read, "users", account),
    Groups: await count(read, "user_groups", account),
    Roles: await count(read, "roles", account),
    Policies: await count(read, "managed_policies", account),
    InstanceProfiles: await count(read, "instance_profiles", account),
    AccountAccessKeysPresent: 1,
    AccountMFAEnabled: 0,
    MFADevices: 0,
    Providers: 0,
    ServerCertificates: 0,
  };
  return { SummaryMap };
});

const inlineDetails = async (db: Reader, uid: string) =>
  (await inlinePoliciesOf(db, uid)).map(({ policy_name: PolicyName, document }) => ({
    PolicyName,
    PolicyDocument: encodedDocument(document),
  }));

const attachedDetails = async (db: Reader, uid: string) => attachedPolicies(await attachedArns(db, uid));

async function userDetails(db: Reader, account: string) {
  const rows = await db.selectFrom("users").selectAll().where("account", "=", account).execute();
  return rows.map((row) => ({
    key: `User/${row.name_key}`,
    kind: "User" as const,
    detail: async () => ({
      ...describedUser(row),
      UserPolicyList: await inlineDetails(db, row.uid),
      GroupList: (await groupsOfUser(db, row.uid)).map((group) => group.name),
      AttachedManagedPolicies: await attachedDetails(db, row.uid),
    }),
  }));
}

async function groupDetails(db: Reader, account: string) {
  const rows = await db.selectFrom("user_groups").selectAll().where("account", "=", account).execute();
  return rows.map((row) => ({
    key: `Group/${row.name_key}`,
    kind: "Group" as const,
    detail: async () => ({
      ...describedGroup(row),
      GroupPolicyList: await inlineDetails(db, row.uid),
      AttachedManagedPolicies: await attachedDetails(db, row.uid),
    }),
  }));
}

async function roleDetails(db: Reader, account: string) {
  const rows = await db.selectFrom("roles").selectAll().where("account", "=", account).execute();
  return rows.map((row) => ({
    key: `Role/${row.name_key}`,
    kind: "Role" as const,
    detail: async () => ({
      ...describedRole(row),
      InstanceProfileList: await Promise.all(
        (await profilesOfRole(db, row.uid)).map((profile) => describedProfile(db, profile)),
      ),
      RolePolicyList: await inlineDetails(db, row.uid),
      AttachedManagedPolicies: await attachedDetails(db, row.uid),
    }),
  }));
}

async function policyDetails(db: Reader, account: string) {
  return (await ownPolicies(db, account)).map((row) => ({
    key: `LocalManagedPolicy/${iamArn("policy", row)}`,
    kind: "LocalManagedPolicy" as const,
    detail: async () => ({
      ...(await listedPolicy(db, row)),
      PolicyVersionList: (await versionsOf(db, row.uid)).map((version) => ({
        ...listedVersion(row, version),
        Document: encodedDocument(version.document),
      })),
    }),
  }));
}

const getAccountAuthorizationDetails = operation(
  "GetAccountAuthorizationDetails",
  async (input, { store, account }) => {
    const { read } = store;
    const all = [
      ...(await userDetails(read, account)),
      ...(await groupDetails(read, account)),
      ...(await roleDetails(read, account)),
      ...(await policyDetails(read, account)),
    ];
    const wanted = all.filter(({ kind }) => (input.Filter ?? []).length === 0 || input.Filter?.includes(kind) === true);
    const { items, rest } = pageOf(
      wanted.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
      ({ key }) => key,
      input,
    );
    return {
      UserDetailList: await Promise.all(items.flatMap((each) => (each.kind === "User" ? [each.detail()] : []))),
      GroupDetailList: await Promise.all(items.flatMap((each) => (each.kind === "Group" ? [each.detail()] : []))),
      RoleDetailList: await Promise.all(items.flatMap((each) => (each.kind === "Role" ? [each.detail()] : []))),
      Policies: await Promise.all(items.flatMap((each) => (each.kind === "LocalManagedPolicy" ? [each.detail()] : []))),
      ...rest,
    };
  },
);

export const accountOperations = [
  getAccountSummary,
  getAccountAuthorizationDetails,
  // Aliases are names for a sign-in page, which there is none of.
  operation("ListAccountAliases", async () => ({ AccountAliases: [], IsTruncated: false })),
];
