import { sql } from "kysely";
import type { Migration } from "./index.ts";

const statements = [
  `create table alarm_history (uid text not null, id text not null, account text not null, region text not null, name text not null,
    at bigint not null, type text not null, summary text not null, data text not null, primary key (uid, id))`,
  `create index alarm_history_at on alarm_history (account, region, at, id)`,
  `create index alarm_history_age on alarm_history (at)`,
];

export const alarms: Migration = {
  name: "0013-alarms",
  up: async (db) => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
