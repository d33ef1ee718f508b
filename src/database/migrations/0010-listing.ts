import { sql } from "kysely";
import type { Migration } from "./index.ts";

// One index holds all that a list filters and sorts by, so that only the rows of its page are read from the table. What sorts
// by something else than the index does goes through it too: 100,000 entries take 20 ms, their rows 200.
const statements = [
  `drop index resources_by_state`,
  `drop index resources_by_creation`,
  `create index resources_by_creation on resources (kind, account, region, created_at, uid, name, state, modified_at)`,
];

export const listing: Migration = {
  name: "0010-listing",
  up: async (db) => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
