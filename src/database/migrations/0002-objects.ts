import { sql } from "kysely";
import type { Migration } from "./index.ts";

const statements = [
  `create table buckets (
    name text primary key, account text not null, region text not null, created_at bigint not null)`,
  `create index buckets_by_account on buckets (account, name)`,
  `create table objects (
    bucket text not null, key text not null, blob_id text not null, size_bytes bigint not null, etag text not null,
    modified_at bigint not null, attributes text not null, tags text not null, checksum text, parts text, upload_id text,
    primary key (bucket, key))`,
  `create index objects_by_blob on objects (blob_id)`,
  `create table uploads (
    id text primary key, bucket text not null, key text not null, initiated_at bigint not null, initiator text not null,
    attributes text not null, tags text not null, checksum_algorithm text, checksum_type text)`,
  `create index uploads_by_key on uploads (bucket, key, id)`,
  `create table upload_parts (
    upload_id text not null, number integer not null, blob_id text not null, size_bytes bigint not null,
    etag text not null, modified_at bigint not null, checksum text,
    primary key (upload_id, number))`,
  `create index upload_parts_by_blob on upload_parts (blob_id)`,
  `create table object_garbage (blob_id text primary key, since bigint not null)`,
  `create index object_garbage_by_age on object_garbage (since)`,
  `create table object_pins (blob_id text not null, owner text not null, primary key (blob_id, owner))`,
  `create index object_pins_by_owner on object_pins (owner)`,
];

export const objects: Migration = {
  name: "0002-objects",
  up: async (db) => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
