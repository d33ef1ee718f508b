// Accounts' access keys, roles and their policies. Sessions have no rows: their tokens carry them (services/iam/session-tokens.ts).

interface AccessKeysTable {
  access_key_id: string;
  account: string;
  /** Who the key speaks for, e.g. arn:aws:iam::000000000000:root */
  principal_arn: string;
  /** aws:userid */
  user_id: string;
  secret_access_key: string;
  is_active: number;
  created_at: number;
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

interface RolePoliciesTable {
  role_uid: string;
  policy_name: string;
  /** JSON text, as given. */
  document: string;
}

interface RoleAttachmentsTable {
  role_uid: string;
  policy_arn: string;
  attached_at: number;
}

export interface IdentityTables {
  access_keys: AccessKeysTable;
  roles: RolesTable;
  role_policies: RolePoliciesTable;
  role_attachments: RoleAttachmentsTable;
}
