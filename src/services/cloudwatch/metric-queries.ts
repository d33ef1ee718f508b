// MetricDataQueries, as GetMetricData and alarms have them: checked, and answered with time series.
import type { Scope } from "../../database/resources.ts";
import type { Reader } from "../../database/store.ts";
import type { MetricDataQuery, MetricStat } from "../../models/generated/cloudwatch.ts";
import { readBuckets, statisticIn } from "./buckets.ts";
import { validationFailure } from "./errors.ts";
import { evaluate } from "./math/evaluate.ts";
import { namesIn, parseExpression, type Node } from "./math/parse-expression.ts";
import { isArray, isSeries, type TimeSeries, type Value } from "./math/time-series.ts";
import { ExpressionError } from "./math/tokens.ts";
import { alignedStart, isPeriod } from "./periods.ts";
import { findSeries, textOfDimensions } from "./series.ts";
import { parseStatistic, type Statistic } from "./statistic.ts";

interface MetricQuery {
  readonly kind: "metric";
  readonly id: string;
  readonly label: string;
  readonly isReturned: boolean;
  readonly stat: MetricStat;
  readonly statistic: Statistic;
}

interface ExpressionQuery {
  readonly kind: "expression";
  readonly id: string;
  /** Undefined: the label of what comes out. */
  readonly label: string | undefined;
  readonly isReturned: boolean;
  readonly node: Node;
  readonly periodSeconds: number | undefined;
}

export type CheckedQuery = MetricQuery | ExpressionQuery;

const maxQueries = 500;

/** Throws ValidationError, in CloudWatch's words where they are known. */
export function checkQueries(given: readonly MetricDataQuery[], member: string): readonly CheckedQuery[] {
  if (given.length > maxQueries)
    throw validationFailure(`The collection ${member} must not have a size greater than ${maxQueries}.`);
  const ids = new Set(given.map(({ Id }) => Id));
  if (ids.size < given.length) throw validationFailure(`The values for parameter id in ${member} are not unique.`);
  const queries = given.map((query, index) => checkQuery(query, `${member}.member.${index + 1}`));
  inOrder(queries);
  return queries;
}

function checkQuery(query: MetricDataQuery, path: string): CheckedQuery {
  const { Id, Label, MetricStat, Expression, Period, ReturnData } = query;
  if (!/^[a-z]\w*$/.test(Id))
    throw validationFailure(
      `The value ${Id} for parameter ${path}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.`,
    );
  if ((MetricStat === undefined) === (Expression === undefined))
    throw validationFailure(`Either Expression or MetricStat must be specified in ${path}, but not both.`);
  const shared = { id: Id, isReturned: ReturnData !== false };
  if (MetricStat)
    return { kind: "metric", ...shared, ...checkStat(MetricStat, path), label: Label ?? nameOf(MetricStat) };
  if (Period !== undefined && !isPeriod(Period))
    throw validationFailure(`Period in ${path} must be 1, 5, 10, 20, 30 or a multiple of 60.`);
  const node = inExpression(Id, () => parseExpression(Expression ?? ""));
  return { kind: "expression", ...shared, label: Label, node, periodSeconds: Period };
}

const nameOf = ({ Metric }: MetricStat): string => Metric.MetricName ?? "";

function checkStat(stat: MetricStat, path: string): { readonly stat: MetricStat; readonly statistic: Statistic } {
  if (!isPeriod(stat.Period))
    throw validationFailure(`Period in ${path}.MetricStat must be 1, 5, 10, 20, 30 or a multiple of 60.`);
  const { Namespace, MetricName } = stat.Metric;
  if (Namespace === undefined || MetricName === undefined)
    throw validationFailure(`${path}.MetricStat.Metric must have a Namespace and a MetricName.`);
  const statistic = parseStatistic(stat.Stat);
  if (!statistic) throw validationFailure(`The value ${stat.Stat} for parameter ${path}.MetricStat.Stat is invalid.`);
  return { stat, statistic };
}

function inExpression<T>(id: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ExpressionError) throw validationFailure(`Error in expression '${id}' [${error.message}].`);
    throw error;
  }
}

/**
 * Expressions, each behind those it needs; without recursion, since a chain may be as long as the request. Throws where one would need
 * its own value.
 */
function inOrder(queries: readonly CheckedQuery[]): readonly ExpressionQuery[] {
  const byId = new Map(queries.map((query) => [query.id, query]));
  const states = new Map<string, "open" | "done">();
  const ordered: ExpressionQuery[] = [];
  for (const first of queries) {
    const stack: CheckedQuery[] = [first];
    for (let query = stack.at(-1); query; query = stack.at(-1)) {
      if (query.kind === "metric" || states.get(query.id) === "done") {
        stack.pop();
        continue;
      }
      const waiting = states.has(query.id) ? [] : neededBy(query, byId);
      states.set(query.id, "open");
      const circular = waiting.find(({ id }) => states.get(id) === "open");
      if (circular) throw validationFailure(`Error in expression '${circular.id}' [It refers to itself].`);
      const next = waiting.filter(({ id }) => states.get(id) !== "done");
      if (next.length > 0) {
        stack.push(...next);
        continue;
      }
      states.set(query.id, "done");
      ordered.push(query);
      stack.pop();
    }
  }
  return ordered;
}

const neededBy = (query: ExpressionQuery, byId: ReadonlyMap<string, CheckedQuery>): readonly ExpressionQuery[] =>
  [...namesIn(query.node)].flatMap((name) => {
    const other = byId.get(name);
    return other?.kind === "expression" ? [other] : [];
  });

export interface QueryTimes {
  readonly start: Date;
  readonly end: Date;
}

export interface QueryResult extends TimeSeries {
  readonly id: string;
}

/** One result per returned query, more where an expression gives an array; points in order of time. */
export async function answerQueries(
  reader: Reader,
  scope: Scope,
  queries: readonly CheckedQuery[],
  times: QueryTimes,
): Promise<readonly QueryResult[]> {
  const wanted = neededMetrics(queries);
  const metrics = new Map<string, TimeSeries>();
  for (const query of wanted) metrics.set(query.id, await seriesOf(reader, scope, query, times));
  const answers = new Answers(queries, metrics, times);
  return queries.filter(({ isReturned }) => isReturned).flatMap((query) => answers.results(query));
}

/** Those that are returned, and all where expressions may ask for any. */
const neededMetrics = (queries: readonly CheckedQuery[]): readonly MetricQuery[] => {
  const hasExpressions = queries.some(({ kind, isReturned }) => kind === "expression" && isReturned);
  return queries.filter(
    (query): query is MetricQuery => query.kind === "metric" && (query.isReturned || hasExpressions),
  );
};

class Answers {
  readonly #queries: readonly CheckedQuery[];
  readonly #metrics: ReadonlyMap<string, TimeSeries>;
  readonly #times: QueryTimes;
  readonly #byId: ReadonlyMap<string, CheckedQuery>;
  readonly #values = new Map<string, Value>();

  constructor(queries: readonly CheckedQuery[], metrics: ReadonlyMap<string, TimeSeries>, times: QueryTimes) {
    this.#queries = queries;
    this.#metrics = metrics;
    this.#times = times;
    this.#byId = new Map(queries.map((query) => [query.id, query]));
    const needed = this.#needed();
    // Each finds what it needs: no expression is evaluated inside another.
    for (const query of inOrder(queries)) if (needed.has(query.id)) this.#valueOf(query);
  }

  /** Ids of what is returned, and of what that needs. */
  #needed(): ReadonlySet<string> {
    const needed = new Set<string>();
    const waiting = this.#queries.filter(({ isReturned }) => isReturned);
    for (let query = waiting.pop(); query; query = waiting.pop()) {
      if (needed.has(query.id)) continue;
      needed.add(query.id);
      if (query.kind === "expression") waiting.push(...neededBy(query, this.#byId));
    }
    return needed;
  }

  results(query: CheckedQuery): readonly QueryResult[] {
    const { id, label } = query;
    const value = this.#valueOf(query);
    if (isArray(value))
      return value.map((one) => ({ ...one, id, label: label === undefined ? one.label : `${label} ${one.label}` }));
    if (typeof value === "object" && isSeries(value)) return [{ ...value, id, label: label ?? id }];
    throw validationFailure(
      `Error in expression '${id}' [The result is a single value, and must be a time series or an array of them].`,
    );
  }

  #valueOf(query: CheckedQuery): Value {
    if (query.kind === "metric") return this.#metrics.get(query.id) ?? { label: query.label, periodMs: 0, points: [] };
    const known = this.#values.get(query.id);
    if (known !== undefined) return known;
    const value = inExpression(query.id, () => this.#evaluate(query));
    this.#values.set(query.id, value);
    return value;
  }

  #evaluate(query: ExpressionQuery): Value {
    return evaluate(query.node, {
      span: this.#spanOf(query),
      valueOf: (id) => {
        const other = this.#byId.get(id);
        return other && this.#valueOf(other);
      },
      metrics: (part) =>
        this.#queries.flatMap((other) => {
          const metric = other.kind === "metric" && other.id.includes(part) ? this.#metrics.get(other.id) : undefined;
          return metric ? [metric] : [];
        }),
    });
  }

  /** The longest period of the metrics it may speak of, unless it says its own. */
  #spanOf({ periodSeconds }: ExpressionQuery): { from: number; before: number; periodMs: number } {
    const periods = this.#queries.flatMap((query) => (query.kind === "metric" ? [query.stat.Period] : []));
    const seconds = periodSeconds ?? Math.max(...periods, periods.length === 0 ? 60 : 1);
    return {
      from: alignedStart(this.#times.start, seconds),
      before: this.#times.end.getTime(),
      periodMs: seconds * 1_000,
    };
  }
}

async function seriesOf(
  reader: Reader,
  scope: Scope,
  { stat, statistic, label }: MetricQuery,
  { start, end }: QueryTimes,
): Promise<TimeSeries> {
  const periodMs = stat.Period * 1_000;
  const { Namespace = "", MetricName = "", Dimensions } = stat.Metric;
  const metric = { namespace: Namespace, name: MetricName, dimensions: textOfDimensions(Dimensions) };
  const found = await findSeries(reader, scope, metric);
  if (!found) return { label, periodMs, points: [] };
  const range = {
    seriesId: found.id,
    from: alignedStart(start, stat.Period),
    before: end.getTime(),
    periodMs,
    unit: stat.Unit,
  };
  const needs = { needsValues: statistic.needs === "values", mixesUnits: true };
  const points = (await readBuckets(reader, range, needs)).flatMap((bucket) => {
    const value = statisticIn(bucket, statistic);
    return value === undefined ? [] : [{ at: bucket.at, value }];
  });
  return { label, periodMs, points };
}
