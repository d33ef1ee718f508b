import { sql } from "kysely";
import type { Migration } from "./index.ts";

const statements = [
  // Users, groups and roles have unique ids, so that one table holds the policies of all three.
  `alter table role_policies rename to inline_policies`,
  `alter table inline_policies rename column role_uid to owner_uid`,
  `alter table role_attachments rename to policy_attachments`,
  `alter table policy_attachments rename column role_uid to owner_uid`,
  `create index policy_attachments_by_policy on policy_attachments (policy_arn, owner_uid)`,
  `create table users (
    account text not null, name_key text not null, name text not null, uid text not null, path text not null,
    permissions_boundary text, tags text not null, created_at bigint not null, primary key (account, name_key))`,
  `create unique index users_by_uid on users (uid)`,
  `create table user_groups (
    account text not null, name_key text not null, name text not null, uid text not null, path text not null,
    created_at bigint not null, primary key (account, name_key))`,
  `create unique index user_groups_by_uid on user_groups (uid)`,
  `create table group_members (
    group_uid text not null, user_uid text not null, primary key (group_uid, user_uid))`,
  `create index group_members_by_user on group_members (user_uid)`,
  `create table managed_policies (
    account text not null, name_key text not null, name text not null, uid text not null, path text not null,
    description text, default_version integer not null, last_version integer not null, tags text not null,
    created_at bigint not null, updated_at bigint not null, primary key (account, name_key))`,
  `create table managed_policy_versions (
    policy_uid text not null, version integer not null, document text not null, created_at bigint not null,
    primary key (policy_uid, version))`,
  `create table instance_profiles (
    account text not null, name_key text not null, name text not null, uid text not null, path text not null,
    role_uid text, tags text not null, created_at bigint not null, primary key (account, name_key))`,
  `create table accounts (id text primary key, name text not null, created_at bigint not null)`,
  `alter table access_keys add column last_used_at bigint`,
  `alter table access_keys add column last_used_service text`,
  `alter table access_keys add column last_used_region text`,
];

export const principals: Migration = {
  name: "0009-principals",
  up: async (db) => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
