// What an account's instances cost in a time, by resource, kind, instance type, day or tag.
import type { Reader } from "../../../database/store.ts";
import type { Prices } from "../../../compute/prices.ts";
import type { Tag } from "../../resource-definition.ts";
import { collectCharges, type Charge, type ChargesWanted } from "./collect-charges.ts";

export type CostGroup = "resource" | "kind" | "instance-type" | "day" | `tag:${string}`;

export const isCostGroup = (text: string): text is CostGroup =>
  ["resource", "kind", "instance-type", "day"].includes(text) || /^tag:./.test(text);

export interface CostRow {
  /** e.g. "training-job/NAME", "endpoint", "ml.m5.large", "2026-11-23", "team=blue". */
  readonly key: string;
  readonly instanceHours: number;
  /** US dollars; without the hours of types that have no price. */
  readonly cost: number;
  /** What spot capacity saved. */
  readonly saved: number;
  readonly isRunning: boolean;
  /** Instance types without a price. */
  readonly unpriced: readonly string[];
}

export interface CostReport {
  readonly currency: "USD";
  readonly from: string;
  readonly to: string;
  readonly by: CostGroup;
  /** The dearest first; days in their order. */
  readonly rows: readonly CostRow[];
  readonly total: Omit<CostRow, "key">;
}

interface Sum {
  instanceHours: number;
  cost: number;
  saved: number;
  isRunning: boolean;
  readonly unpriced: Set<string>;
}

const emptySum = (): Sum => ({ instanceHours: 0, cost: 0, saved: 0, isRunning: false, unpriced: new Set() });
const dayMs = 86_400_000;

/** The part of a charge that lies between two times, 0 to 1. */
function shareOf({ started_at: start, ended_at: end }: Charge, from: number, to: number): number {
  if (end <= start) return start >= from && start < to ? 1 : 0;
  return Math.max(0, Math.min(end, to) - Math.max(start, from)) / (end - start);
}

function keyOf(charge: Charge, by: Exclude<CostGroup, "day">): string {
  switch (by) {
    case "resource":
      return `${charge.kind}/${charge.name}`;
    case "kind":
      return charge.kind;
    case "instance-type":
      return charge.instance_type;
    default: {
      const name = by.slice("tag:".length);
      const tag = (JSON.parse(charge.tags) as Tag[]).find(({ Key }) => Key === name);
      return tag ? `${name}=${tag.Value}` : `(without ${name})`;
    }
  }
}

/** The parts of a charge by their key. */
function* partsOf(charge: Charge, by: CostGroup, from: number, to: number): Generator<[string, number]> {
  if (by !== "day") {
    yield [keyOf(charge, by), shareOf(charge, from, to)];
    return;
  }
  const start = Math.max(from, charge.started_at);
  const end = Math.max(start + 1, Math.min(to, charge.ended_at));
  for (let day = Math.floor(start / dayMs) * dayMs; day < end; day += dayMs)
    yield [new Date(day).toISOString().slice(0, 10), shareOf(charge, Math.max(from, day), Math.min(to, day + dayMs))];
}

function add(sum: Sum, charge: Charge, share: number, prices: Prices): void {
  const hours = (charge.instances * charge.billed_seconds * share) / 3_600;
  const price = prices.perHour(charge.instance_type);
  sum.instanceHours += hours;
  sum.isRunning ||= charge.isRunning;
  if (price === undefined) sum.unpriced.add(charge.instance_type);
  else {
    sum.cost += hours * price;
    sum.saved += ((charge.instances * charge.saved_seconds * share) / 3_600) * price;
  }
}

const shown = ({ unpriced, ...sum }: Sum): Omit<CostRow, "key"> => ({ ...sum, unpriced: [...unpriced].sort() });

export async function costReport(
  reader: Reader,
  wanted: ChargesWanted & { readonly by: CostGroup },
  prices: Prices,
): Promise<CostReport> {
  const { from, to, by } = wanted;
  const sums = new Map<string, Sum>();
  const total = emptySum();
  for await (const charge of collectCharges(reader, wanted)) {
    for (const [key, share] of partsOf(charge, by, from.getTime(), to.getTime())) {
      if (share === 0) continue;
      let sum = sums.get(key);
      if (!sum) sums.set(key, (sum = emptySum()));
      add(sum, charge, share, prices);
      add(total, charge, share, prices);
    }
  }
  const rows = [...sums].map(([key, sum]) => ({ key, ...shown(sum) }));
  rows.sort((a, b) => (by === "day" ? 0 : b.cost - a.cost) || (a.key < b.key ? -1 : 1));
  return { currency: "USD", from: from.toISOString(), to: to.toISOString(), by, rows, total: shown(total) };
}
