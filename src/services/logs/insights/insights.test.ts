// Queries from text to rows, and their operations with the engine that runs them.
import { array, assert, constantFrom, oneof, property, string } from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { openTestStore } from "../../../database/store.fake.ts";
import { createEngine } from "../../../engine/engine.ts";
import { FakeClock } from "../../../lib/clock.fake.ts";
import { silentLog } from "../../../lib/log.ts";
import { seededRandom } from "../../../lib/random.ts";
import type { LogsOperations } from "../../../models/generated/logs.ts";
import { requestContext } from "../../request-context.fake.ts";
import { createLogs } from "../index.ts";
import { parseQuery } from "./parse-query.ts";
import { QueryError } from "./query-error.ts";

const scope = { account: "000000000000", region: "us-west-2" };
const day = Date.UTC(2026, 0, 1);

async function world() {
  const clock = new FakeClock();
  const store = await openTestStore({ clock });
  onTestFinished(() => store.close());
  const random = seededRandom(7);
  const logs = createLogs({ store, clock, random });
  const engine = createEngine({ store, clock, random, log: silentLog, reconcilers: logs.reconcilers });
  const call = async <Name extends keyof LogsOperations>(
    name: Name,
    input: LogsOperations[Name]["input"],
    account = scope.account,
  ): Promise<Exclude<LogsOperations[Name]["output"], void>> => {
    const request = { service: "logs", operation: name, ...scope, account, store, clock, random } as const;
    return (await logs.service.handle(name, input, requestContext(request))) as never;
  };
  const append = (stream: string, messages: readonly string[], group = "group"): Promise<void> =>
    store.write((tx) =>
      logs.lines.append(
        tx,
        scope,
        group,
        stream,
        messages.map((message, at) => ({ timestamp: day - 600_000 + at * 60_000, message })),
      ),
    );
  const start = (queryString: string, more: object = {}) =>
    call("StartQuery", {
      logGroupName: "group",
      startTime: day / 1_000 - 3_600,
      endTime: day / 1_000 + 3_600,
      queryString,
      ...more,
    });
  const settle = async (): Promise<void> => {
    while ((await engine.runDue()) > 0);
  };
  const run = async (queryString: string, more: object = {}) => {
    const { queryId = "" } = await start(queryString, more);
    await settle();
    return call("GetQueryResults", { queryId });
  };
  return {
    clock,
    logs,
    engine,
    call,
    append,
    start,
    settle,
    run,
    /** Rows without their pointers, as texts. */
    rows: async (queryString: string, more: object = {}) =>
      (await run(queryString, more)).results?.map((row) =>
        row.filter(({ field }) => field !== "@ptr").map(({ field, value }) => `${field}=${value}`),
      ),
  };
}

const requests = [
  '{"user":"ann","ms":120,"http":{"status":200}}',
  '{"user":"bob","ms":80,"http":{"status":500}}',
  '{"user":"ann","ms":40,"http":{"status":200}}',
  "ERROR user=ann took 7 ms",
  "plain text",
];

test.each<[string, string[][]]>([
  [
    "fields @timestamp, user | filter ms > 50",
    [
      ["@timestamp=2025-12-31 23:51:00.000", "user=bob"],
      ["@timestamp=2025-12-31 23:50:00.000", "user=ann"],
    ],
  ],
  ["filter @message like /(?i)error/ | display @message", [["@message=ERROR user=ann took 7 ms"]]],
  ['filter @message like "plain"', [["@timestamp=2025-12-31 23:54:00.000", "@message=plain text"]]],
  ["filter user = 'ann' and not (ms < 50) | display ms", [["ms=120"]]],
  [
    "filter user in ['bob', 'eve'] or http.status >= 600 | display user, http.status",
    [["user=bob", "http.status=500"]],
  ],
  ["filter ispresent(user) and user not in ['ann'] | display user", [["user=bob"]]],
  [
    "stats count(*) as n, sum(ms), avg(ms), max(ms), min(ms) by user | filter n > 1 | sort user",
    [["user=ann", "n=2", "sum(ms)=160", "avg(ms)=80", "max(ms)=120", "min(ms)=40"], ["n=2"]],
  ],
  [
    "filter ispresent(ms) | stats pct(ms, 50) as median, stddev(ms) as s, count_distinct(user) as users",
    [["median=80", "s=40", "users=2"]],
  ],
  [
    "stats count(*) by bin(2m) as t | sort t",
    [
      ["t=2025-12-31 23:50:00.000", "count(*)=2"],
      ["t=2025-12-31 23:52:00.000", "count(*)=2"],
      ["t=2025-12-31 23:54:00.000", "count(*)=1"],
    ],
  ],
  [
    "filter ispresent(ms) | stats sum(ms) / count(*) as mean by user | sort mean desc",
    [
      ["user=ann", "mean=80"],
      ["user=bob", "mean=80"],
    ],
  ],
  ["filter ispresent(ms) | stats latest(user) as last, earliest(user) as first", [["last=ann", "first=ann"]]],
  [
    'parse @message "user=* took * ms" as who, took | filter ispresent(who) | display who, took + 1 as later',
    [["who=ann", "later=8"]],
  ],
  ["parse @message /user=(?<who>\\w+) took (?<took>\\d+)/ | filter took = 7 | display who", [["who=ann"]]],
  [
    "fields strlen(user) as n, toupper(user) as u | filter ispresent(user) | dedup user | display n, u",
    [
      ["n=3", "u=ANN"],
      ["n=3", "u=BOB"],
    ],
  ],
  ["fields ms % 100 as m, (ms + 8) / 2 ^ 3 as e | filter ms = 120 | display m, e", [["m=20", "e=16"]]],
  ["sort ms desc | limit 2 | display ms", [["ms=120"], ["ms=80"]]],
  ["sort @timestamp asc | limit 1 | display user # the first", [["user=ann"]]],
  [
    "fields coalesce(user, 'nobody') as who, concat(user, '-', ms) as c | filter who = 'nobody' | limit 1 | display who, c",
    [["who=nobody", "c=-"]],
  ],
  ["stats count(*) as n by user | stats max(n) as most", [["most=2"]]],
  ["filter user = 'zoe' | stats count(*) as n", [["n=0"]]],
  ["filter `http.status` = 500 | display `http.status`", [["http.status=500"]]],
])("%s", async (query, expected) => {
  const { append, rows } = await world();
  await append("s", requests);
  expect(await rows(query)).toEqual(expected);
});

test("results carry what was looked at, matched, and where each line is", async () => {
  const { append, run } = await world();
  await append("s", requests);
  const { status, statistics, results } = await run("fields @message, @logStream, @log | filter ms > 50");
  expect(status).toBe("Complete");
  expect(statistics).toMatchObject({ recordsMatched: 2, recordsScanned: 5 });
  expect(results?.[0]?.map(({ field }) => field)).toEqual(["@message", "@logStream", "@log", "@ptr"]);
  expect(results?.[0]?.slice(1, 3).map(({ value }) => value)).toEqual(["s", "000000000000:group"]);
});

test("the time, the limit and the log groups bound a query", async () => {
  const { append, rows, call, start } = await world();
  await append("s", requests);
  const late = { startTime: day / 1_000 - 400 };
  expect(await rows("display @message", late)).toEqual([["@message=plain text"]]);
  expect(await rows("display @message", { limit: 3 })).toHaveLength(3);
  await expect(start("display a", { logGroupName: "nobody" })).rejects.toMatchObject({
    code: "ResourceNotFoundException",
  });
  await expect(start("display a", { logGroupNames: ["group"] })).rejects.toMatchObject({
    code: "InvalidParameterException",
  });
  const { queryId = "" } = await start("display a");
  await expect(call("GetQueryResults", { queryId }, "111111111111")).rejects.toMatchObject({
    code: "ResourceNotFoundException",
  });
});

test("lines of several groups come in one order, newest first", async () => {
  const { append, rows } = await world();
  await append("s", ["a0", "a1", "a2"]);
  await append("s", ["b0", "b1", "b2"], "other");
  const groups = { logGroupName: undefined, logGroupNames: ["group", "other"] };
  const shown = await rows("display @message", groups);
  expect(shown?.map(([message]) => message?.slice(-1))).toEqual(["2", "2", "1", "1", "0", "0"]);
  expect(await rows("stats latest(@message) as last, count(*) as n", groups)).toEqual([["last=a2", "n=6"]]);
});

test("a text that grows with every command ends as nothing, not in all the memory", async () => {
  const { append, rows } = await world();
  await append("s", ["x".repeat(1_000)]);
  const doubled = Array.from({ length: 60 }, () => "fields concat(a, a) as a").join(" | ");
  expect(await rows(`fields @message as a | ${doubled} | display strlen(a) as n`)).toEqual([["n=0"]]);
  const grown = "replace(replace(a, 'x', @message), 'x', @message)";
  expect(await rows(`fields @message as a | display strlen(${grown}) as n`)).toEqual([[]]);
});

test("a query that has begun is seen to run", async () => {
  const { append, start, call, engine } = await world();
  await append("s", requests);
  const { queryId = "" } = await start("stats count(*)");
  await engine.runDue();
  expect((await call("GetQueryResults", { queryId })).status).toBe("Running");
  await engine.runDue();
  expect(await call("GetQueryResults", { queryId })).toMatchObject({
    status: "Complete",
    results: [[{ field: "count(*)", value: "5" }]],
  });
});

test("a query can be stopped before it ends, and is listed with its state", async () => {
  const { append, start, call, settle } = await world();
  await append("s", requests);
  const { queryId = "" } = await start("stats count(*)");
  expect((await call("GetQueryResults", { queryId })).status).toBe("Scheduled");
  expect(await call("StopQuery", { queryId })).toEqual({ success: true });
  await settle();
  const { queries } = await call("DescribeQueries", { logGroupName: "group", status: "Cancelled" });
  expect(queries).toMatchObject([
    { queryId, status: "Cancelled", queryString: "stats count(*)", logGroupName: "group" },
  ]);
  await expect(call("StopQuery", { queryId })).rejects.toMatchObject({ code: "InvalidParameterException" });
});

test("results are kept for a week", async () => {
  const { append, run, call, clock, logs } = await world();
  await append("s", requests);
  await run("stats count(*)");
  await clock.advance(8 * 86_400_000);
  await logs.sweep();
  expect((await call("DescribeQueries", {})).queries).toEqual([]);
});

test.each([
  ["select 1", "unexpected symbol found 'select'"],
  ["filter a = ", "unexpected end of the query"],
  ["stats a by b", "stats needs an aggregate"],
  ["filter count(*) > 1", "'count' can be used in stats only"],
  ["fields nothing(a)", "unknown function 'nothing'"],
  ["fields strlen()", "wrong number of arguments"],
  ["parse @message 'a * b *' as one", "2 wildcards, and 1 names"],
  ["parse @message /a(b)/", "named groups"],
  ["filter a like /(/", "missing"],
  ["limit 0", "limit takes a number"],
  ["stats count(*) by bin(x)", "bin takes a duration"],
  [`filter ${"(".repeat(100)}a${")".repeat(100)}`, "nested too deeply"],
])("%s is refused with the place", async (query, message) => {
  const { append, start } = await world();
  await append("s", ["x"]);
  await expect(start(query)).rejects.toMatchObject({
    code: "MalformedQueryException",
    message: expect.stringContaining(message),
  });
});

test("whatever the text, it is a query or a refusal with its place", () => {
  const words = [
    "fields",
    "filter",
    "stats",
    "sort",
    "parse",
    "count(*)",
    "by",
    "bin(5m)",
    "|",
    "a",
    "'x'",
    "/x/",
    "(",
    ")",
    "like",
    "in",
    "[",
    "]",
    ",",
    "5",
    "as",
    "-",
    "not",
  ];
  const text = array(constantFrom(...words), { maxLength: 15 }).map((parts) => parts.join(" "));
  assert(
    property(oneof(text, string()), (query) => {
      try {
        parseQuery(query);
      } catch (error) {
        if (!(error instanceof QueryError)) throw error;
        if (error.start < 0 || error.end > query.length + 1)
          throw new Error("the place is outside of the query", { cause: error });
      }
    }),
  );
});
