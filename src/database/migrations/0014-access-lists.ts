import { sql } from "kysely";
import type { Migration } from "./index.ts";

// Who owns what is written into a bucket, and the lists of who else has access. Null: nobody but the owner of the bucket. What
// was a setting becomes a column, since every request reads the bucket's row.
const statements = [
  `alter table buckets add column ownership text not null default ''`,
  `alter table buckets add column grants text`,
  `alter table objects add column access text`,
  `alter table object_versions add column access text`,
  `alter table uploads add column access text`,
  `update buckets set ownership = 'None' where name in (
    select bucket from bucket_settings where name = 'ownership-controls' and value = 'null')`,
  `delete from bucket_settings where name = 'ownership-controls'`,
];

export const accessLists: Migration = {
  name: "0014-access-lists",
  up: async (db) => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
