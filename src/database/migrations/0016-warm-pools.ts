import { sql } from "kysely";
import type { Migration } from "./index.ts";

export const warmPools: Migration = {
  name: "0016-warm-pools",
  up: async (db) => {
    await sql.raw(`alter table reservations add column retained_for text`).execute(db);
  },
};
