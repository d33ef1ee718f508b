import { sql } from "kysely";
import type { Migration } from "./index.ts";

const statements = [
  `alter table buckets add column versioning text not null default ''`,
  `create table bucket_settings (
    bucket text not null, name text not null, value text not null, changed_at bigint not null, primary key (bucket, name))`,
  `create index bucket_settings_by_name on bucket_settings (name, bucket)`,
  `alter table objects add column version_id text not null default 'null'`,
  `alter table objects add column sequence bigint not null default 0`,
  `create table object_versions (
    bucket text not null, key text not null, sequence bigint not null, version_id text not null,
    is_delete_marker integer not null, superseded_at bigint, blob_id text not null, size_bytes bigint not null,
    etag text not null, modified_at bigint not null, attributes text not null, tags text not null, checksum text,
    parts text, upload_id text,
    primary key (bucket, key, sequence))`,
  `create unique index object_versions_by_id on object_versions (bucket, key, version_id)`,
  `create index object_versions_by_blob on object_versions (blob_id)`,
];

export const objectVersions: Migration = {
  name: "0006-object-versions",
  up: async (db) => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
