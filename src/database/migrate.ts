// Brings a database to the newest schema; refuses one that a newer Salvia has written.
import { sql } from "kysely";
import type { Clock } from "../lib/clock.ts";
import { migrations } from "./migrations/index.ts";
import type { Store } from "./store.ts";

export class NewerDatabaseError extends Error {}

export async function migrate(store: Store, clock: Clock): Promise<void> {
  await store.write(async (tx) => {
    await sql`create table if not exists migrations (name text primary key, applied_at bigint not null)`.execute(tx);
    const { rows } = await sql<{ name: string }>`select name from migrations`.execute(tx);
    const applied = new Set(rows.map((row) => row.name));
    const known = new Set(migrations.map((migration) => migration.name));
    const unknown = [...applied].filter((name) => !known.has(name));
    if (unknown.length > 0) {
      throw new NewerDatabaseError(
        `The data folder was written by a newer Salvia (it has ${unknown.join(", ")}). Start that version, or use another --data folder.`,
      );
    }
    for (const migration of migrations) {
      if (applied.has(migration.name)) continue;
      await migration.up(tx);
      await sql`insert into migrations (name, applied_at) values (${migration.name}, ${clock.now().getTime()})`.execute(
        tx,
      );
    }
  });
}
