import { sql } from "kysely";
import type { Migration } from "./index.ts";

const statements = [
  `create table ecr_repositories (
    account text not null, region text not null, name text not null, uid text not null unique, created_at bigint not null,
    settings text not null, tags text not null, policy text, lifecycle_policy text, primary key (account, region, name))`,
  `create table ecr_registry_settings (
    account text not null, region text not null, name text not null, value text not null,
    primary key (account, region, name))`,
  `create table ecr_images (
    repository_uid text not null, digest text not null, media_type text not null, artifact_type text,
    manifest bytea not null, size_bytes bigint not null, subject text, annotations text, pushed_at bigint not null,
    pulled_at bigint, primary key (repository_uid, digest))`,
  `create index ecr_images_by_subject on ecr_images (repository_uid, subject)`,
  `create table ecr_image_tags (
    repository_uid text not null, tag text not null, digest text not null, primary key (repository_uid, tag))`,
  `create index ecr_image_tags_by_digest on ecr_image_tags (repository_uid, digest)`,
  `create table ecr_references (
    repository_uid text not null, digest text not null, kind text not null, needed text not null,
    primary key (repository_uid, digest, kind, needed))`,
  `create index ecr_references_by_needed on ecr_references (repository_uid, needed)`,
  `create table ecr_layers (digest text primary key, blob_id text not null, size_bytes bigint not null)`,
  `create index ecr_layers_by_blob on ecr_layers (blob_id)`,
  `create table ecr_repository_layers (
    repository_uid text not null, digest text not null, used_at bigint not null, primary key (repository_uid, digest))`,
  `create index ecr_repository_layers_by_digest on ecr_repository_layers (digest)`,
  `create index ecr_repository_layers_by_use on ecr_repository_layers (used_at)`,
  `create table ecr_layer_uploads (
    id text primary key, repository_uid text not null, size_bytes bigint not null, changed_at bigint not null)`,
  `create index ecr_layer_uploads_by_repository on ecr_layer_uploads (repository_uid)`,
  `create index ecr_layer_uploads_by_change on ecr_layer_uploads (changed_at)`,
  `create table ecr_layer_parts (
    upload_id text not null, start_byte bigint not null, blob_id text not null, size_bytes bigint not null,
    sha256 text not null, primary key (upload_id, start_byte))`,
  `create index ecr_layer_parts_by_blob on ecr_layer_parts (blob_id)`,
];

export const images: Migration = {
  name: "0012-images",
  up: async (db) => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
