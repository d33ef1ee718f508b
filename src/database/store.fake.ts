// The store of tests: SQLite in memory, or with SALVIA_TEST_DATABASE=postgres a fresh database on the run's own Postgres
// (tools/test-postgres.ts starts it).
import { Client } from "pg";
import type { Clock } from "../lib/clock.ts";
import { silentLog } from "../lib/log.ts";
import { systemRandom } from "../lib/random.ts";
import { openPostgresStore } from "./postgres/postgres-store.ts";
import { openSqliteStore } from "./sqlite/sqlite-store.ts";
import type { Store } from "./store.ts";

/** The run's Postgres; undefined where the run is SQLite's. */
export const testServerUrl = (): string | undefined =>
  process.env["SALVIA_TEST_DATABASE"] === "postgres" ? process.env["SALVIA_TEST_POSTGRES_URL"] : undefined;

/** A fresh database on that server, without tables or a copy of another; resolves to its URL. */
export async function freshDatabase(serverUrl: string, template = "template1"): Promise<string> {
  const name = `t${systemRandom.uuid().replaceAll("-", "")}`;
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  await client.query(`create database ${name} template ${template} strategy file_copy`);
  await client.end();
  return Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
}

/** An empty store of the newest schema. */
export async function openTestStore({ clock }: { readonly clock: Clock }): Promise<Store> {
  const serverUrl = testServerUrl();
  if (serverUrl === undefined) return openSqliteStore({ file: ":memory:", clock });
  return openPostgresStore({
    url: await freshDatabase(serverUrl, "migrated"),
    clock,
    log: silentLog,
    maxConnections: 3,
  });
}
