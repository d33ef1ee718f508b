// Accounts, access keys, users, groups, roles and their policies. Sessions have no rows: their tokens carry them (services/iam/session-tokens.ts).
import type { Generated } from "kysely";

export interface AccessKeysTable {
  access_key_id: string;
  account: string;
  /** Who the key speaks for, e.g. arn:aws:iam::000000000000:root */
  principal_arn: string;
  /** aws:userid */
  user_id: string;
  secret_access_key: string;
  is_active: number;
  created_at: number;
  last_used_at: Generated<number | null>;
  last_used_service: Generated<string | null>;
  last_used_region: Generated<string | null>;
}

export interface RolesTable {
  account: string;
  /** The name in lower case: names differ by more than case. */
  name_key: string;
  name: string;
  /** AROA… */
  uid: string;
  path: string;
  description: string | null;
  /** JSON text, as given. */
  trust_policy: string;
  max_session_seconds: number;
  permissions_boundary: string | null;
  /** [{Key, Value}], JSON. */
  tags: string;
  created_at: number;
}

/** Of users, groups and roles. */
interface InlinePoliciesTable {
  owner_uid: string;
  policy_name: string;
  /** JSON text, as given. */
  document: string;
}

interface PolicyAttachmentsTable {
  owner_uid: string;
  policy_arn: string;
  attached_at: number;
}

export interface UsersTable {
  account: string;
  name_key: string;
  name: string;
  /** AIDA… */
  uid: string;
  path: string;
  permissions_boundary: string | null;
  /** [{Key, Value}], JSON. */
  tags: string;
  created_at: number;
}

export interface UserGroupsTable {
  account: string;
  name_key: string;
  name: string;
  /** AGPA… */
  uid: string;
  path: string;
  created_at: number;
}

interface GroupMembersTable {
  group_uid: string;
  user_uid: string;
}

/** The accounts' own; AWS's are in services/iam/managed-policies.ts. */
export interface ManagedPoliciesTable {
  account: string;
  name_key: string;
  name: string;
  /** ANPA… */
  uid: string;
  path: string;
  description: string | null;
  default_version: number;
  /** Numbers are not used again. */
  last_version: number;
  /** [{Key, Value}], JSON. */
  tags: string;
  created_at: number;
  updated_at: number;
}

export interface ManagedPolicyVersionsTable {
  policy_uid: string;
  version: number;
  /** JSON text, as given. */
  document: string;
  created_at: number;
}

export interface InstanceProfilesTable {
  account: string;
  name_key: string;
  name: string;
  /** AIPA… */
  uid: string;
  path: string;
  role_uid: string | null;
  /** [{Key, Value}], JSON. */
  tags: string;
  created_at: number;
}

/** Those besides the first. */
interface AccountsTable {
  id: string;
  name: string;
  created_at: number;
}

export interface IdentityTables {
  access_keys: AccessKeysTable;
  roles: RolesTable;
  inline_policies: InlinePoliciesTable;
  policy_attachments: PolicyAttachmentsTable;
  users: UsersTable;
  user_groups: UserGroupsTable;
  group_members: GroupMembersTable;
  managed_policies: ManagedPoliciesTable;
  managed_policy_versions: ManagedPolicyVersionsTable;
  instance_profiles: InstanceProfilesTable;
  accounts: AccountsTable;
}
