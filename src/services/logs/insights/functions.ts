// Functions of the query language. Source: "Supported operations and functions", CloudWatch Logs user guide.
import { compare, isTrue, numberOf, textOf, Time, type Value } from "./values.ts";

export interface QueryFunction {
  readonly least: number;
  readonly most: number;
  of(values: readonly Value[]): Value;
}

const numeric = (of: (...numbers: readonly number[]) => number, least = 1, most = least): QueryFunction => ({
  least,
  most,
  of: (values) => {
    const numbers = values.map(numberOf);
    if (numbers.some((number) => number === undefined)) return undefined;
    const result = of(...(numbers as number[]));
    return Number.isFinite(result) ? result : undefined;
  },
});

const textual = (of: (...texts: readonly string[]) => Value, least = 1, most = least): QueryFunction => ({
  least,
  most,
  of: (values) => (values[0] === undefined ? undefined : of(...values.map((value) => textOf(value) ?? ""))),
});

/** No value grows beyond this: a query could double a text with every command. */
const maxCharacters = 1_048_576;

function joined(texts: readonly string[]): Value {
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  return characters > maxCharacters ? undefined : texts.join("");
}

function replaced(text: string, old: string, fresh: string): Value {
  if (old === "") return text;
  return joined(text.split(old).flatMap((piece, at) => (at === 0 ? [piece] : [fresh, piece])));
}

const escapedClass = (characters: string): string => characters.replace(/[\\\]^-]/g, String.raw`\$&`);

function trimmed(text: string, characters: string | undefined, sides: "both" | "left" | "right"): string {
  const one = characters === undefined || characters === "" ? String.raw`\s` : `[${escapedClass(characters)}]`;
  const left = sides === "right" ? text : text.replace(new RegExp(`^${one}+`), "");
  if (sides === "left") return left;
  // From the end, by hand: a pattern for it would look at every run of them.
  const inside = new RegExp(`^${one}$`);
  let end = left.length;
  while (end > 0 && inside.test(left[end - 1] ?? "")) end--;
  return left.slice(0, end);
}

const rounded = (round: (steps: number) => number): QueryFunction => ({
  least: 2,
  most: 2,
  of: ([at, step]) => {
    const [atMs, stepMs] = [numberOf(at), numberOf(step)];
    if (atMs === undefined || stepMs === undefined || stepMs <= 0) return undefined;
    return new Time(round(atMs / stepMs) * stepMs);
  },
});

export const functions: Readonly<Record<string, QueryFunction>> = {
  abs: numeric(Math.abs),
  ceil: numeric(Math.ceil),
  floor: numeric(Math.floor),
  greatest: numeric(Math.max, 1, 50),
  least: numeric(Math.min, 1, 50),
  log: numeric(Math.log),
  sqrt: numeric(Math.sqrt),
  strlen: textual((text) => text.length),
  toupper: textual((text) => text.toUpperCase()),
  tolower: textual((text) => text.toLowerCase()),
  trim: textual((text, characters) => trimmed(text, characters, "both"), 1, 2),
  ltrim: textual((text, characters) => trimmed(text, characters, "left"), 1, 2),
  rtrim: textual((text, characters) => trimmed(text, characters, "right"), 1, 2),
  concat: { least: 1, most: 50, of: (values) => joined(values.map((value) => textOf(value) ?? "")) },
  substr: textual(
    (text, start = "0", length) =>
      text.slice(
        Math.max(0, Number(start)),
        length === undefined ? undefined : Math.max(0, Number(start)) + Number(length),
      ),
    2,
    3,
  ),
  replace: textual((text, old = "", fresh = "") => replaced(text, old, fresh), 3),
  strcontains: textual((text, part = "") => (text.includes(part) ? 1 : 0), 2),
  isempty: { least: 1, most: 1, of: ([value]) => value === undefined || textOf(value) === "" },
  isblank: { least: 1, most: 1, of: ([value]) => value === undefined || (textOf(value) ?? "").trim() === "" },
  ispresent: { least: 1, most: 1, of: ([value]) => value !== undefined },
  coalesce: { least: 1, most: 50, of: (values) => values.find((value) => value !== undefined) },
  if: { least: 3, most: 3, of: ([condition, yes, no]) => (isTrue(condition) ? yes : no) },
  datefloor: rounded(Math.floor),
  dateceil: rounded(Math.ceil),
  frommillis: { least: 1, most: 1, of: ([value]) => timeOf(numberOf(value)) },
  tomillis: { least: 1, most: 1, of: ([value]) => numberOf(value) },
};

const timeOf = (ms: number | undefined): Time | undefined => (ms === undefined ? undefined : new Time(ms));

/** Sums up the lines of a group. */
export interface Aggregate {
  add(value: Value): void;
  result(): Value;
}

function numbers(result: (all: readonly number[]) => number | undefined): Aggregate {
  const all: number[] = [];
  return {
    add: (value) => {
      const number = numberOf(value);
      if (number !== undefined) all.push(number);
    },
    result: () => (all.length === 0 ? undefined : result(all)),
  };
}

function counted(): Aggregate {
  let count = 0;
  return { add: (value) => void (count += value === undefined ? 0 : 1), result: () => count };
}

function distinct(): Aggregate {
  const seen = new Set<string>();
  return {
    add: (value) => {
      const text = textOf(value);
      if (text !== undefined) seen.add(text);
    },
    result: () => seen.size,
  };
}

function summed(of: (sum: number, count: number) => number): Aggregate {
  let [sum, count] = [0, 0];
  return {
    add: (value) => {
      const number = numberOf(value);
      if (number === undefined) return;
      sum += number;
      count++;
    },
    result: () => (count === 0 ? undefined : of(sum, count)),
  };
}

/** The value that stands before all others by `order`. */
function chosen(order: (a: Value, b: Value) => number): Aggregate {
  let best: Value;
  return {
    add: (value) => {
      if (value !== undefined && (best === undefined || order(value, best) < 0)) best = value;
    },
    result: () => best,
  };
}

/** Linear between the two nearest ranks. */
function percentile(all: readonly number[], percent: number): number | undefined {
  const sorted = Float64Array.from(all).sort();
  const rank = ((sorted.length - 1) * percent) / 100;
  const [low, high] = [sorted[Math.floor(rank)], sorted[Math.ceil(rank)]];
  return low === undefined || high === undefined ? undefined : low + (high - low) * (rank - Math.floor(rank));
}

function deviation(all: readonly number[]): number | undefined {
  if (all.length < 2) return undefined;
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  return Math.sqrt(all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (all.length - 1));
}

/** By time of the line, which the runner gives in its own order: the first or the last that came. */
export const aggregates: Readonly<Record<string, (parameter: number) => Aggregate>> = {
  count: counted,
  count_distinct: distinct,
  sum: () => summed((sum) => sum),
  avg: () => summed((sum, count) => sum / count),
  min: () => chosen(compare),
  max: () => chosen((a, b) => compare(b, a)),
  sortsfirst: () => chosen(compare),
  sortslast: () => chosen((a, b) => compare(b, a)),
  pct: (percent) => numbers((all) => percentile(all, percent)),
  median: () => numbers((all) => percentile(all, 50)),
  stddev: () => numbers(deviation),
  earliest: () => ended("last"),
  latest: () => ended("first"),
};

/** Lines come newest first. */
function ended(which: "first" | "last"): Aggregate {
  let kept: Value;
  return {
    add: (value) => {
      if (value !== undefined && (which === "last" || kept === undefined)) kept = value;
    },
    result: () => kept,
  };
}
