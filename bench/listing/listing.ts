// The first page of 100,000 training jobs under every filter and order that a List operation has: the slowest of each order. Asked
// of the repository, so without HTTP; on SQLite, and on a Postgres of its own.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { openPostgresStore } from "../../src/database/postgres/postgres-store.ts";
import {
  insertResource,
  listResources,
  type ResourceFilter,
  type ResourceRow,
  type SortColumn,
} from "../../src/database/resources.ts";
import { openSqliteStore } from "../../src/database/sqlite/sqlite-store.ts";
import type { Store } from "../../src/database/store.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { startTestPostgres } from "../../tools/test-postgres.ts";
import { median, type BenchRow } from "../table.ts";

const rowCount = 100_000;
const rounds = 5;
const goalMs = 50;
const kind = "sagemaker/training-job";
const scope = { account: "000000000000", region: "us-west-2" };
const startedAt = 1_790_000_000_000;
const states = ["Completed", "Completed", "Completed", "Failed", "Stopped", "InProgress"];

/** In no order but that of creation; requests and states of the size that a real job has. */
function row(at: number): ResourceRow {
  const shuffled = (at * 7_919) % rowCount;
  return {
    uid: `u${String(at).padStart(8, "0")}`,
    kind,
    ...scope,
    name: `job-${shuffled}-${["alpha", "beta", "gamma"][at % 3]}`,
    spec: JSON.stringify({ request: "r".repeat(1_500) }),
    intent: "{}",
    status: JSON.stringify({ status: "s".repeat(700) }),
    tags: "[]",
    state: states[shuffled % states.length] ?? "",
    created_at: startedAt + at * 1_000,
    modified_at: startedAt + shuffled * 1_000,
    generation: 1,
    wake_at: null,
    lease_token: null,
    lease_until: null,
    failures: 0,
  };
}

const second = (at: number): Date => new Date(startedAt + at * 1_000);

const filters: readonly (readonly [string, ResourceFilter])[] = [
  ["no filter", {}],
  ["a status", { state: "Failed" }],
  ["a status that none has", { state: "Stopping" }],
  ["a part of many names", { nameContains: "beta" }],
  ["a part of one name", { nameContains: "JOB-4242-" }],
  ["a part of no name", { nameContains: "nothing" }],
  ["a time of creation", { createdAfter: second(30_000), createdBefore: second(60_000) }],
  ["a time of change", { modifiedAfter: second(500), modifiedBefore: second(600) }],
  ["everything", { state: "Failed", nameContains: "a", createdAfter: second(50_000), modifiedBefore: second(20_000) }],
];

async function fill(store: Store): Promise<void> {
  for (let base = 0; base < rowCount; base += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, at) => store.write((tx) => insertResource(tx, row(base + at)))));
  }
}

/** The slowest filter of an order, by the median of its rounds; ascending and descending. */
async function slowest(store: Store, sortBy: SortColumn): Promise<{ readonly ms: number; readonly filter: string }> {
  let worst = { ms: 0, filter: "" };
  for (const [name, filter] of filters) {
    for (const descending of [true, false]) {
      const times: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const from = performance.now();
        await listResources(store.read, kind, scope, { filter, sortBy, descending, limit: 101 });
        times.push(performance.now() - from);
        // Another turn of the loop: a snapshot of its own.
        await new Promise((resolve) => setImmediate(resolve));
      }
      const ms = median(times);
      if (ms > worst.ms) worst = { ms, filter: `${name}, ${descending ? "descending" : "ascending"}` };
    }
  }
  return worst;
}

async function measure(database: string, store: Store): Promise<readonly BenchRow[]> {
  await fill(store);
  // What Postgres does by itself after a while.
  if (database === "Postgres") await sql`vacuum analyze resources`.execute(store.read);
  const rows: BenchRow[] = [];
  for (const sortBy of ["created_at", "name", "modified_at", "state"] as const) {
    const { ms, filter } = await slowest(store, sortBy);
    const what = `${database}: first page by ${sortBy}, slowest filter (${filter})`;
    // Postgres scans an index a few times slower than SQLite; its figure stands without a goal.
    const goal =
      database === "SQLite" ? { goal: `< ${goalMs} ms`, isMet: ms < goalMs } : { goal: "", isMet: undefined };
    rows.push({ what, ours: `${ms.toFixed(1)} ms`, peer: "", ratio: "", ...goal });
  }
  return rows;
}

async function onPostgres(): Promise<readonly BenchRow[]> {
  const postgres = await startTestPostgres();
  const url = Object.assign(new URL(postgres.url), { pathname: "/migrated" }).href;
  const store = await openPostgresStore({ url, clock: systemClock, log: silentLog });
  try {
    return await measure("Postgres", store);
  } finally {
    await store.close();
    await postgres.stop();
  }
}

export async function run(): Promise<readonly BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "salvia-listing-"));
  const store = await openSqliteStore({ file: join(folder, "salvia.db"), clock: systemClock });
  try {
    return [...(await measure("SQLite", store)), ...(await onPostgres())];
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
