import { sql } from "kysely";
import type { Migration } from "./index.ts";

const statements = [
  `create table access_keys (
    access_key_id text primary key, account text not null, principal_arn text not null, user_id text not null,
    secret_access_key text not null, is_active integer not null, created_at bigint not null)`,
  `create index access_keys_by_principal on access_keys (account, principal_arn, created_at)`,
  `create table roles (
    account text not null, name_key text not null, name text not null, uid text not null, path text not null,
    description text, trust_policy text not null, max_session_seconds integer not null, permissions_boundary text,
    tags text not null, created_at bigint not null, primary key (account, name_key))`,
  `create unique index roles_by_uid on roles (uid)`,
  `create table role_policies (
    role_uid text not null, policy_name text not null, document text not null, primary key (role_uid, policy_name))`,
  `create table role_attachments (
    role_uid text not null, policy_arn text not null, attached_at bigint not null, primary key (role_uid, policy_arn))`,
];

export const identity: Migration = {
  name: "0005-identity",
  up: async (db) => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
