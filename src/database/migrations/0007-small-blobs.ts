import { sql } from "kysely";
import type { Migration } from "./index.ts";

// SQLite takes any name for a type; bytea is Postgres's.
export const smallBlobs: Migration = {
  name: "0007-small-blobs",
  up: async (db) => {
    await sql
      .raw(`create table small_blobs (id text primary key, bytes bytea not null, created_at bigint not null)`)
      .execute(db);
  },
};
