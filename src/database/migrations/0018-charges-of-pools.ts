// A warm pool has a charge of its own, from the end of its job on, so that days and times split it where it was.
import { sql } from "kysely";
import type { Migration } from "./index.ts";

const statements = [
  `insert into charges (id, account, region, kind, name, instance_type, instances, started_at, ended_at, billed_seconds, saved_seconds,
    retained_seconds, tags)
    select id || '/pool', account, region, 'warm-pool', name, instance_type, instances, ended_at,
      cast(ended_at + 1000 * retained_seconds as bigint), retained_seconds, 0, 0, tags
    from charges where retained_seconds > 0`,
  `alter table charges drop column retained_seconds`,
];

export const chargesOfPools: Migration = {
  name: "0018-charges-of-pools",
  up: async (db) => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
