// The store of tests: SQLite in memory, or with SALVIA_TEST_DATABASE=postgres a fresh database on the run's own Postgres
// (tools/test-postgres.ts starts it).
import { Client } from "pg";
import { onTestFinished } from "vitest";
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

/** Databases whose test has finished: emptying one takes a tenth of the time of making one. Of this worker and its server. */
const emptied: string[] = [];

/** Every table but that of the migrations. */
const emptying = `do $$ declare t text; begin
  for t in select tablename from pg_tables where schemaname = current_schema() and tablename <> 'migrations'
  loop execute format('delete from %I', t); end loop; end $$`;

async function recycle(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(emptying);
  await client.end();
  emptied.push(url);
}

/** An empty store of the newest schema. On Postgres it is closed when the test that opened it has finished. */
export async function openTestStore({ clock }: { readonly clock: Clock }): Promise<Store> {
  const serverUrl = testServerUrl();
  if (serverUrl === undefined) return openSqliteStore({ file: ":memory:", clock });
  const url = emptied.pop() ?? (await freshDatabase(serverUrl, "migrated"));
  const store = await openPostgresStore({ url, clock, log: silentLog, maxConnections: 3 });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= store.close().then(() => recycle(url)));
  try {
    onTestFinished(close);
  } catch {
    // Opened for several tests: whoever did closes it.
  }
  return { read: store.read, write: (work) => store.write(work), close };
}
