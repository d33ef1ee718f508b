import { sql } from "kysely";
import type { Migration } from "./index.ts";

const statements = [
  `create table resources (
    uid text primary key, kind text not null, account text not null, region text not null, name text not null,
    spec text not null, intent text not null, status text not null, tags text not null, state text not null,
    created_at bigint not null, modified_at bigint not null, generation integer not null,
    wake_at bigint, lease_token text, lease_until bigint, failures integer not null default 0)`,
  `create unique index resources_by_name on resources (kind, account, region, name)`,
  `create index resources_by_creation on resources (kind, account, region, created_at, uid)`,
  `create index resources_by_modification on resources (kind, account, region, modified_at, uid)`,
  `create index resources_by_state on resources (kind, account, region, state, created_at, uid)`,
  `create index resources_due on resources (wake_at) where wake_at is not null`,
  `create table reservations (
    owner_uid text primary key, pool text not null, instances integer not null,
    queued_at bigint not null, granted_at bigint)`,
  `create table settings (key text primary key, value text not null)`,
  `create table tasks (
    key text primary key, owner_uid text not null, account text not null, region text not null, token text not null,
    sequence integer not null, observed text not null, stop_requested integer not null, created_at bigint not null)`,
  `create index tasks_by_owner on tasks (owner_uid)`,
];

export const core: Migration = {
  name: "0001-core",
  up: async (db) => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
