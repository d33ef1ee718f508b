import { sql } from "kysely";
import type { Migration } from "./index.ts";

const statements = [
  `create table charges (id text primary key, account text not null, region text not null, kind text not null, name text not null,
    instance_type text not null, instances integer not null, started_at bigint not null, ended_at bigint not null,
    billed_seconds double precision not null, saved_seconds double precision not null, retained_seconds double precision not null,
    tags text not null)`,
  `create index charges_by_account on charges (account, ended_at, id)`,
  `alter table tasks add column instance_type text`,
];

export const charges: Migration = {
  name: "0017-charges",
  up: async (db) => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
