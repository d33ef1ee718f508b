// Operations of Logs Insights: start, look, stop, list.
import { AwsError } from "../../../lib/aws-error.ts";
import type { StartQueryRequest } from "../../../models/generated/logs.ts";
import { timeOrderedUuid } from "../../../lib/random.ts";
import type { RequestContext } from "../../service.ts";
import { operation } from "../context.ts";
import { invalidParameter } from "../errors.ts";
import { referencedGroup } from "../groups.ts";
import { cursorOf, tokenOf } from "../list-token.ts";
import { maxRows, parseQuery } from "./parse-query.ts";
import { QueryError } from "./query-error.ts";
import { query, type Query } from "./query.resource.ts";

const maxGroups = 50;
const maxUnderWay = 30;

export const startQuery = operation("StartQuery", async (input, ctx) => {
  if (input.queryLanguage !== undefined && input.queryLanguage !== "CWLI")
    throw invalidParameter(`Queries in ${input.queryLanguage} are not supported by Salvia; write them in CWLI.`);
  if (input.endTime < input.startTime) throw invalidParameter("End time should not be less than start time.");
  const text = input.queryString;
  checkQuery(text);
  const groups = await groupsOf(input, ctx);
  await refuseTooMany(ctx);
  const name = timeOrderedUuid(ctx.random, ctx.clock.now().getTime());
  const [from, last] = [msOf(input.startTime), msOf(input.endTime)];
  const limit = input.limit ?? maxRows;
  await ctx.resources.create(query, name, { query: text, groups, from, before: last + 1_000, limit });
  return { queryId: name };
});

/** Seconds since 1970; clients that send ms are understood. */
const msOf = (time: number): number => (time > 100_000_000_000 ? time : time * 1_000);

function checkQuery(text: string): void {
  try {
    parseQuery(text);
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    throw new AwsError(
      "MalformedQueryException",
      `${error.message} at position ${error.start} (${error.start},${error.end})`,
    );
  }
}

async function groupsOf(input: StartQueryRequest, ctx: RequestContext): Promise<readonly string[]> {
  const { logGroupName, logGroupNames, logGroupIdentifiers } = input;
  const given = [logGroupName === undefined ? undefined : [logGroupName], logGroupNames, logGroupIdentifiers];
  const [references, ...others] = given.filter((names) => names !== undefined);
  if (!references || references.length === 0 || others.length > 0)
    throw invalidParameter("Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be given.");
  if (references.length > maxGroups) throw invalidParameter(`A query looks at ${maxGroups} log groups at most.`);
  const groups: string[] = [];
  for (const logGroupIdentifier of references)
    groups.push((await referencedGroup(ctx.store.read, ctx, { logGroupIdentifier })).name);
  return groups;
}

async function refuseTooMany({ store, account, region }: RequestContext): Promise<void> {
  const { count } = await store.read
    .selectFrom("resources")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("kind", "=", "logs/query")
    .where("account", "=", account)
    .where("region", "=", region)
    .where("state", "in", ["Scheduled", "Running"])
    .executeTakeFirstOrThrow();
  if (count >= maxUnderWay)
    throw new AwsError("LimitExceededException", `${maxUnderWay} queries are under way; wait for one to end.`);
}

export const getQueryResults = operation("GetQueryResults", async ({ queryId }, ctx) => {
  const { status } = await ctx.resources.get(query, queryId);
  const { state, rows = [], progress } = status;
  return {
    queryLanguage: "CWLI" as const,
    results: rows,
    statistics: { ...progress, estimatedRecordsSkipped: 0, estimatedBytesSkipped: 0, logGroupsScanned: 1 },
    status: state,
  };
});

const isUnderWay = ({ status }: Query): boolean => status.state === "Scheduled" || status.state === "Running";

export const stopQuery = operation("StopQuery", async ({ queryId }, ctx) => {
  let success = false;
  await ctx.resources.change(query, queryId, (found) => {
    if (!isUnderWay(found)) throw invalidParameter("The query has ended already.");
    success = true;
    return { intent: { isStopped: true } };
  });
  return { success };
});

export const describeQueries = operation("DescribeQueries", async (input, ctx) => {
  const limit = input.maxResults ?? 1_000;
  const cursor = cursorOf(input.nextToken, "number", "string");
  const after = cursor && { value: Number(cursor[0]), uid: String(cursor[1]) };
  const filter = { state: input.status };
  const page = { filter, sortBy: "created_at", descending: true, limit: limit + 1, after } as const;
  const found = await ctx.resources.page(query, page);
  const last = found[limit - 1];
  const shown = found.slice(0, limit).filter(({ spec }) => {
    return input.logGroupName === undefined || spec.groups.includes(input.logGroupName);
  });
  return {
    queries: shown.map(({ name, spec, status, createdAt }) => ({
      queryLanguage: "CWLI" as const,
      queryId: name,
      queryString: spec.query,
      status: status.state,
      createTime: createdAt.getTime(),
      ...(spec.groups.length === 1 && spec.groups[0] !== undefined && { logGroupName: spec.groups[0] }),
    })),
    ...(found.length > limit && last && { nextToken: tokenOf([last.createdAt.getTime(), last.uid]) }),
  };
});
