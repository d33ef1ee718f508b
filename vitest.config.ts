import { availableParallelism } from "node:os";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import SlowFilesFirst from "./tools/slow-files-first.ts";

/** What also runs on Postgres: whatever lies on the database, without the suites of processes and clients that say no more there. */
const onPostgres = ["src/database/**/*.test.ts", "src/engine/**/*.test.ts", "src/services/**/*.test.ts"];

/** SALVIA_TEST_DATABASE: postgres (those suites on Postgres alone), both (all on SQLite, and those on Postgres), or SQLite. */
const database = process.env["SALVIA_TEST_DATABASE"] ?? "sqlite";

const postgres: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: "postgres",
    include: onPostgres,
    exclude: ["**/node_modules/**", "src/database/sqlite/**"],
    env: { SALVIA_TEST_DATABASE: "postgres" },
    globalSetup: ["./tools/test-postgres.ts"],
  },
};

const sqlite: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: "sqlite",
    include: ["src/**/*.test.ts", "tools/**/*.test.ts", "acceptance/**/*.test.ts", "bench/**/*.test.ts"],
    exclude: ["**/node_modules/**", "src/database/postgres/**"],
    env: { SALVIA_TEST_DATABASE: "sqlite" },
  },
};

export default defineConfig({
  test: {
    isolate: false,
    // Suites of clients wait for their servers half of the time: two files at once even on two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: SlowFilesFirst },
    setupFiles: ["./tools/property-seed.ts"],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    reporters: ["default", "./tools/closing-line-reporter.ts"],
    projects: database === "both" ? [sqlite, postgres] : [database === "postgres" ? postgres : sqlite],
  },
});
