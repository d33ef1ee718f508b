import { sql } from "kysely";
import type { Migration } from "./index.ts";

const statements = [
  `create table object_events (bucket text not null, key text not null, destination text not null, position bigint not null,
    body text not null, created_at bigint not null, attempts bigint not null, due_at bigint not null,
    primary key (bucket, key, destination, position))`,
  `create index object_events_due on object_events (due_at)`,
];

export const objectEvents: Migration = {
  name: "0011-object-events",
  up: async (db) => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
