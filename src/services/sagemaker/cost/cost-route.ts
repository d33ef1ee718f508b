// GET /_salvia/cost: what Studio and `salvia cost` show. Signed like a request to SageMaker; answers for the caller's account whoever may see
// costs on AWS too.
import { minutes, type Clock } from "../../../lib/clock.ts";
import type { Prices } from "../../../compute/prices.ts";
import type { Reader } from "../../../database/store.ts";
import type { HttpRoute, RouteResponse } from "../../service.ts";
import { costReport, isCostGroup, type CostGroup, type CostReport } from "./cost-report.ts";
import { idleEndpoints, type IdleEndpoint } from "./idle-endpoints.ts";

export interface CostQuery {
  readonly from: Date;
  /** Not included. */
  readonly to: Date;
  readonly by: CostGroup;
  /** Endpoints that nobody asked for so long are idle. */
  readonly idleHours: number;
}

export interface CostAnswer extends CostReport {
  readonly idle: readonly IdleEndpoint[];
}

/** A parameter that makes no sense; the message is for its author. */
export class CostQueryError extends Error {}

const parameters = ["from", "to", "by", "idle-hours"];

const startOfMonth = (now: Date): Date => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));

const aDay = /^\d{4}-\d{2}-\d{2}$/;

/** A day means all of it: `to` lies behind its end. */
function endOf(text: string | null, now: Date): Date {
  const time = timeOf("to", text, now);
  return text !== null && aDay.test(text) ? new Date(time.getTime() + minutes(24 * 60)) : time;
}

function timeOf(name: string, text: string | null, fallback: Date): Date {
  if (text === null) return fallback;
  const time = new Date(text);
  // Only what says its own zone, or is a day: a bare time would depend on where the server stands.
  if (!/^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text) || Number.isNaN(time.getTime()))
    throw new CostQueryError(
      `${name} must be a day (2026-11-23) or a time with its zone (2026-11-23T12:00:00Z), not "${text}"`,
    );
  return time;
}

/** Throws CostQueryError. Default: this month (UTC) until now, by resource; idle after an hour. */
export function readCostQuery(query: URLSearchParams, now: Date): CostQuery {
  const unknown = [...query.keys()].find((name) => !parameters.includes(name));
  if (unknown !== undefined) throw new CostQueryError(`there is no "${unknown}"; there are ${parameters.join(", ")}`);
  const from = timeOf("from", query.get("from"), startOfMonth(now));
  const to = endOf(query.get("to"), now);
  if (from >= to) throw new CostQueryError("from must be before to");
  const by = query.get("by") ?? "resource";
  if (!isCostGroup(by))
    throw new CostQueryError(`by must be resource, kind, instance-type, day or tag:KEY, not "${by}"`);
  const idleHours = Number(query.get("idle-hours") ?? 1);
  if (!Number.isFinite(idleHours) || idleHours < 0) throw new CostQueryError("idle-hours must be a number from 0 on");
  return { from, to, by, idleHours };
}

export async function costAnswer(
  reader: Reader,
  { account, now, ...query }: CostQuery & { readonly account: string; readonly now: Date },
  prices: Prices,
): Promise<CostAnswer> {
  const report = await costReport(reader, { account, now, ...query }, prices);
  return { ...report, idle: await idleEndpoints(reader, { account, now, idleHours: query.idleHours }, prices) };
}

const json = (status: number, value: unknown): RouteResponse => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value),
});

export const costRoute = ({
  store,
  clock,
  prices,
}: {
  readonly store: { readonly read: Reader };
  readonly clock: Clock;
  readonly prices: Prices;
}): HttpRoute => ({
  prefix: "/_salvia/cost",
  signedFor: { service: "sagemaker", action: "ce:GetCostAndUsage" },
  handle: async ({ method, rawQuery, caller }) => {
    if (method !== "GET") return { status: 405, headers: { allow: "GET" } };
    if (!caller) throw new Error("the route of costs is signed");
    const now = clock.now();
    try {
      const query = readCostQuery(new URLSearchParams(rawQuery), now);
      return json(200, await costAnswer(store.read, { ...query, account: caller.account, now }, prices));
    } catch (error) {
      if (error instanceof CostQueryError) return json(400, { message: error.message });
      throw error;
    }
  },
});
