// Values of a query: numbers, texts, truth, points in time, and nothing.

export class Time {
  /** ms since 1970 */
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }
}

export type Value = number | string | boolean | Time | undefined;

/** A log line, or a row that a command made. */
export interface Fields {
  get(name: string): Value;
}

/** 2026-01-01 00:00:00.000 */
const timeText = (ms: number): string => new Date(ms).toISOString().replace("T", " ").slice(0, 23);

/** As results show it; undefined where there is nothing to show. */
export function textOf(value: Value): string | undefined {
  if (value === undefined) return undefined;
  if (value instanceof Time) return timeText(value.ms);
  if (typeof value === "boolean") return value ? "1" : "0";
  return typeof value === "number" ? numberText(value) : value;
}

const numberText = (value: number): string =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(12)));

export function numberOf(value: Value): number | undefined {
  if (typeof value === "number") return value;
  if (value instanceof Time) return value.ms;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value === undefined || value.trim() === "") return undefined;
  const number = Number(value);
  return Number.isNaN(number) ? undefined : number;
}

export const isTrue = (value: Value): boolean =>
  value === true || (typeof value === "number" && value !== 0) || (typeof value === "string" && value !== "");

/** Numbers by size where both are, else texts; what is missing comes last. */
export function compare(left: Value, right: Value): number {
  if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? 1 : -1;
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a !== undefined && b !== undefined) return a - b;
  const [first, second] = [textOf(left) ?? "", textOf(right) ?? ""];
  return first < second ? -1 : first > second ? 1 : 0;
}

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  mo: 30 * 86_400_000,
  q: 91 * 86_400_000,
  y: 365 * 86_400_000,
};

/** "5m" in ms. */
export function durationMs(text: string): number {
  const [, count, unit] = /^([\d.]+)([a-z]+)$/.exec(text) ?? [];
  return Number(count) * (unitMs[unit ?? ""] ?? Number.NaN);
}
