// One record of the input, as expressions see it.
import type { Step } from "./expression.ts";

/** A field, a JSON value, or undefined for what is missing. */
export type Value = string | number | boolean | object | null | undefined;

export interface SelectRecord {
  /** The value at a path; undefined: it is missing. */
  at(steps: readonly Step[]): Value;
  /** Names and values in order, for SELECT *. */
  entries(): readonly (readonly [string, Value])[];
}

type NamedStep = Extract<Step, { readonly name: string }>;

function property(value: object, { name, isExact }: NamedStep): Value {
  const found: Readonly<Record<string, Value>> = { ...value };
  if (Object.hasOwn(found, name)) return found[name];
  const wanted = name.toLowerCase();
  const key = isExact ? undefined : Object.keys(found).find((one) => one.toLowerCase() === wanted);
  return key === undefined ? undefined : found[key];
}

/** One step into a JSON value. */
export function stepInto(value: Value, step: Step): Value {
  if (typeof value !== "object" || value === null) return undefined;
  if ("index" in step) return Array.isArray(value) ? (value as readonly Value[])[step.index] : undefined;
  return property(value, step);
}

export const jsonRecord = (value: Value): SelectRecord => ({
  at: (steps) => steps.reduce(stepInto, value),
  entries: () => (typeof value === "object" && value !== null ? Object.entries(value) : [["_1", value]]),
});

/** Where a header was read, its names; `_1` and so on always work. */
export interface CsvHeader {
  readonly names: readonly string[];
  readonly byName: ReadonlyMap<string, number>;
  readonly byLowerName: ReadonlyMap<string, number>;
}

export const csvHeader = (names: readonly string[]): CsvHeader => ({
  names,
  byName: new Map(names.map((name, at) => [name, at])),
  byLowerName: new Map(names.map((name, at) => [name.toLowerCase(), at])),
});

function columnAt(step: Step, header: CsvHeader | undefined): number | undefined {
  if ("index" in step) return step.index;
  const { name, isExact } = step;
  const named = header?.byName.get(name) ?? (isExact ? undefined : header?.byLowerName.get(name.toLowerCase()));
  if (named !== undefined) return named;
  const position = /^_(\d{1,6})$/.exec(name)?.[1];
  return position === undefined ? undefined : Number(position) - 1;
}

export const csvRecord = (fields: readonly string[], header: CsvHeader | undefined): SelectRecord => ({
  at: ([first, ...more]) => {
    const column = first && more.length === 0 ? columnAt(first, header) : undefined;
    return column === undefined ? undefined : fields[column];
  },
  entries: () => fields.map((field, at) => [header?.names[at] ?? `_${at + 1}`, field]),
});
