// StartLiveTail: lines as they come in, one update a second, until the client leaves or three hours have passed.
import type { StartLiveTailRequest, StartLiveTailResponseStream } from "../../../models/generated/logs.ts";
import { minutes, seconds } from "../../../lib/clock.ts";
import { timeOrderedUuid } from "../../../lib/random.ts";
import type { RequestContext } from "../../service.ts";
import { operation } from "../context.ts";
import { invalidParameter } from "../errors.ts";
import { parseFilterPattern, type LineTest } from "../filter-pattern.ts";
import { groupArn, referencedGroup, type LogGroupRow } from "../groups.ts";
import type { LogEventRow } from "../stream-events.ts";

const maxGroups = 10;
const maxEvents = 500;
const sessionMs = minutes(180);
/** Lines that say they are older than this are not live. */
const oldestMs = minutes(5);

export const startLiveTail = operation("StartLiveTail", async (input, ctx) => {
  const { logGroupIdentifiers, logStreamNames, logStreamNamePrefixes, logEventFilterPattern = "" } = input;
  if (logGroupIdentifiers.length > maxGroups)
    throw invalidParameter(`A session tails ${maxGroups} log groups at most.`);
  if ((logStreamNames || logStreamNamePrefixes) && logGroupIdentifiers.length > 1)
    throw invalidParameter("Log streams can be chosen for a single log group only.");
  if (logStreamNames && logStreamNamePrefixes)
    throw invalidParameter("logStreamNames and logStreamNamePrefixes cannot be specified at the same time.");
  const test = parseFilterPattern(logEventFilterPattern);
  const groups: LogGroupRow[] = [];
  for (const logGroupIdentifier of logGroupIdentifiers)
    groups.push(await referencedGroup(ctx.store.read, ctx, { logGroupIdentifier }));
  return { responseStream: session(input, ctx, groups, test) };
});

async function* session(
  input: StartLiveTailRequest,
  ctx: RequestContext,
  groups: readonly LogGroupRow[],
  test: LineTest,
): AsyncGenerator<StartLiveTailResponseStream> {
  const startedAt = ctx.clock.now().getTime();
  const tail = new Tail(input, ctx, groups, test);
  await tail.skipWhatIsThere();
  yield { sessionStart: { ...input, requestId: ctx.requestId, sessionId: timeOrderedUuid(ctx.random, startedAt) } };
  while (!ctx.signal.aborted) {
    await ctx.clock.sleep(seconds(1), ctx.signal).catch(() => undefined);
    if (ctx.signal.aborted) return;
    if (ctx.clock.now().getTime() - startedAt >= sessionMs) {
      yield { SessionTimeoutException: { message: "The session has ended after three hours." } };
      return;
    }
    const { rows, isSampled } = await tail.fresh();
    yield { sessionUpdate: { sessionMetadata: { sampled: isSampled }, sessionResults: rows } };
  }
}

interface StreamRow {
  readonly id: number;
  readonly group_id: number;
  readonly name: string;
  readonly next_sequence: number;
}

class Tail {
  readonly #input: StartLiveTailRequest;
  readonly #ctx: RequestContext;
  readonly #groups: readonly LogGroupRow[];
  readonly #test: LineTest;
  /** By stream: the next sequence that has not been looked at. */
  readonly #next = new Map<number, number>();
  #lookedAt = 0;

  constructor(input: StartLiveTailRequest, ctx: RequestContext, groups: readonly LogGroupRow[], test: LineTest) {
    this.#input = input;
    this.#ctx = ctx;
    this.#groups = groups;
    this.#test = test;
  }

  async skipWhatIsThere(): Promise<void> {
    for (const { id, next_sequence } of await this.#streams()) this.#next.set(id, next_sequence);
  }

  async fresh() {
    const events: { readonly row: LogEventRow; readonly stream: StreamRow }[] = [];
    let seen = 0;
    for (const stream of await this.#streams()) {
      const from = this.#next.get(stream.id) ?? 1;
      if (stream.next_sequence <= from) continue;
      this.#next.set(stream.id, stream.next_sequence);
      for (const row of await this.#lines(stream, from)) {
        if (!this.#test(row.message)) continue;
        seen++;
        if (events.length < maxEvents) events.push({ row, stream });
      }
    }
    const rows = events
      .toSorted((a, b) => a.row.at - b.row.at || a.row.sequence - b.row.sequence)
      .map(({ row, stream }) => this.#shown(row, stream));
    return { rows, isSampled: seen > events.length };
  }

  /** Those that got lines since the last look, and that the session wants. */
  async #streams(): Promise<readonly StreamRow[]> {
    const since = this.#lookedAt;
    this.#lookedAt = this.#ctx.clock.now().getTime() - seconds(5);
    let query = this.#ctx.store.read.selectFrom("log_streams").select(["id", "group_id", "name", "next_sequence"]);
    const ids = this.#groups.map(({ id }) => id);
    query = query.where("group_id", "in", ids);
    if (since > 0) query = query.where("ingested_at", ">=", since);
    const { logStreamNames, logStreamNamePrefixes } = this.#input;
    return (await query.execute()).filter(
      ({ name }) =>
        (!logStreamNames || logStreamNames.includes(name)) &&
        (!logStreamNamePrefixes || logStreamNamePrefixes.some((prefix) => name.startsWith(prefix))),
    );
  }

  #lines({ id, next_sequence }: StreamRow, from: number): Promise<LogEventRow[]> {
    return this.#ctx.store.read
      .selectFrom("log_events")
      .selectAll()
      .where("stream_id", "=", id)
      .where("at", ">=", this.#ctx.clock.now().getTime() - oldestMs)
      .where("sequence", ">=", from)
      .where("sequence", "<", next_sequence)
      .orderBy("at")
      .orderBy("sequence")
      .limit(maxEvents * 20)
      .execute();
  }

  #shown(row: LogEventRow, stream: StreamRow) {
    const group = this.#groups.find(({ id }) => id === stream.group_id);
    return {
      logGroupIdentifier: group ? groupArn(group) : "",
      logStreamName: stream.name,
      message: row.message,
      timestamp: row.at,
      ingestionTime: row.ingested_at,
    };
  }
}
