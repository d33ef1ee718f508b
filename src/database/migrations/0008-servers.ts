import { sql } from "kysely";
import type { Migration } from "./index.ts";

const statements = [
  `create table servers (id text primary key, url text not null, beats bigint not null, started_at bigint not null)`,
];

export const servers: Migration = {
  name: "0008-servers",
  up: async (db) => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
