import { resolve } from "node:path";
import { expect, test } from "vitest";
import { ConfigError, readConfig, settings } from "./config.ts";

const problemsOf = (args: readonly string[], environment: NodeJS.ProcessEnv = {}): string[] => {
  try {
    readConfig(args, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n");
    throw error;
  }
  return [];
};

test("works with zero settings, and listens on loopback only", () => {
  const config = readConfig([], {});
  expect(config).toMatchObject({ port: 7243, host: "127.0.0.1", accountId: "000000000000", stopsTasks: false });
  expect(config.dataFolder).toBe(resolve(".salvia"));
  expect(Object.isFrozen(config)).toBe(true);
});

test("every setting has a flag and a variable of its own, and the fallback that readConfig gives", () => {
  const all = Object.values(settings);
  expect(new Set(all.map(({ flag }) => flag)).size).toBe(all.length);
  expect(new Set(all.map(({ variable }) => variable)).size).toBe(all.length);
  const config = readConfig([], {});
  const { dataFolder: _, ...others } = settings;
  for (const [name, { fallback }] of Object.entries(others)) expect(config).toHaveProperty(name, fallback);
});

test("a flag wins over its variable, and a variable over the fallback", () => {
  const environment = { SALVIA_PORT: "1000", SALVIA_HOST: "::1" };
  expect(readConfig(["--port", "2000"], environment)).toMatchObject({ port: 2_000, host: "::1" });
});

test("a flag takes its value from the next argument or after an equals sign, whatever that holds", () => {
  expect(readConfig(["--data", "--odd"], {}).dataFolder).toBe(resolve("--odd"));
  expect(readConfig(["--data=a=b\nc"], {}).dataFolder).toBe(resolve("a=b\nc"));
});

test("the last of several flags counts", () => {
  expect(readConfig(["--port", "1", "--port", "2"], {}).port).toBe(2);
});

test.each([
  [["--stop-tasks"], true],
  [["--stop-tasks=off"], false],
  [["--stop-tasks=yes"], true],
])("a switch stands alone or says on or off: %j", (args, expected) => {
  expect(readConfig(args, {}).stopsTasks).toBe(expected);
});

test("a switch does not swallow the argument after it", () => {
  expect(readConfig(["--stop-tasks", "--port", "1"], {})).toMatchObject({ stopsTasks: true, port: 1 });
});

test("an empty variable counts as absent", () => {
  expect(readConfig([], { SALVIA_PORT: "" }).port).toBe(7_243);
});

test("host names are lower-cased and trimmed, and empty ones left out", () => {
  expect(readConfig(["--allowed-hosts", " A.example ,,b "], {}).allowedHosts).toEqual(["a.example", "b"]);
});

test.each([
  ["--port", "65536"],
  ["--port", "-1"],
  ["--port", "1.5"],
  ["--port", ""],
  ["--port", "1e3"],
  ["--account-id", "12345678901"],
  ["--job-instances", "0"],
  ["--log-level", "verbose"],
  ["--stop-tasks", "=maybe"],
])("refuses %s %j by the name of the flag", (flag, value) => {
  const args = flag === "--stop-tasks" ? [`${flag}${value}`] : [flag, value];
  expect(problemsOf(args)).toEqual([expect.stringMatching(new RegExp(`^${flag} must be .*, not "`))]);
});

test("new buckets can begin as they did in 2022, and in no other year", () => {
  expect(readConfig([], {}).bucketDefaults).toBe("current");
  expect(readConfig(["--bucket-defaults", "2022"], {}).bucketDefaults).toBe("2022");
  expect(() => readConfig([], { SALVIA_BUCKET_DEFAULTS: "2021" })).toThrow(
    "SALVIA_BUCKET_DEFAULTS must be current or 2022",
  );
});

test("all problems are told at once, those of variables by the variable's name", () => {
  const problems = problemsOf(["--frobnicate", "serve", "--host"], { SALVIA_PORT: "x", SALVIA_LOG_LEVEL: "loud" });
  expect(problems).toEqual([
    expect.stringContaining('"--frobnicate" is not a flag'),
    expect.stringContaining('"serve" is not a flag'),
    "--host needs a value",
    'SALVIA_PORT must be a whole number from 0 to 65535, not "x"',
    'SALVIA_LOG_LEVEL must be debug, info, warn or error, not "loud"',
  ]);
});

test("a secret that is wrong is not repeated", () => {
  const problems = problemsOf([], {
    SALVIA_ROOT_ACCESS_KEY_ID: "AKIAEXAMPLE000000000",
    SALVIA_ROOT_SECRET_ACCESS_KEY: "hunter2",
  });
  expect(problems).toEqual(["SALVIA_ROOT_SECRET_ACCESS_KEY must be at least 16 characters"]);
});

test("one half of the root credentials is no credentials", () => {
  expect(problemsOf([], { SALVIA_ROOT_ACCESS_KEY_ID: "AKIAEXAMPLE000000000" })).toEqual([
    "SALVIA_ROOT_ACCESS_KEY_ID and SALVIA_ROOT_SECRET_ACCESS_KEY go together",
  ]);
});

test("a database's address is never repeated, and tasks that servers share are not one server's to stop", () => {
  const [problem = ""] = problemsOf(["--database", "mysql://me:sesame@host/db"]);
  expect(problem).toBe("--database must be an address that begins with postgres://");
  const database = "postgres://me:sesame@host/db";
  expect(readConfig([], { SALVIA_DATABASE: database }).database).toBe(database);
  expect(problemsOf(["--database", database, "--stop-tasks"])).toEqual([
    "--stop-tasks does not go with --database: the tasks are those of all its servers",
  ]);
});
