// Stages of a query: each takes lines or rows and passes on what it makes of them.
import type { AggregateUse, Expression } from "./parse-expression.ts";
import { maxRows, type Command, type NamedExpression } from "./parse-query.ts";
import type { Aggregate } from "./functions.ts";
import { compare, isTrue, textOf, type Fields, type Value } from "./values.ts";

export type Extraction = (value: string) => readonly string[] | undefined;

export interface Row extends Fields {
  set(name: string, value: Value): void;
}

export interface Stage {
  /** False: it needs no more. */
  push(row: Row): boolean;
  /** Nothing more comes. */
  end(): void;
}

/** A row that a command made. */
export class MadeRow implements Row {
  readonly #values = new Map<string, Value>();

  get(name: string): Value {
    return this.#values.get(name);
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
  }
}

/** Puts the commands in a chain that ends in `rows`. */
export const chain = (commands: readonly Command[], rows: Stage): Stage =>
  commands.reduceRight((next, command) => stageOf(command, next), rows);

function stageOf(command: Command, next: Stage): Stage {
  switch (command.kind) {
    case "fields":
    case "display":
      return computing(command.columns, next);
    case "filter":
      return { push: (row) => (isTrue(command.test(row)) ? next.push(row) : true), end: () => next.end() };
    case "parse":
      return extracting(command, next);
    case "stats":
      return new Grouping(command, next);
    case "sort":
      return new Sorting(command.keys, next);
    case "limit":
      return limiting(command.count, next);
    case "dedup":
      return deduplicating(command.by, next);
  }
}

function computing(columns: readonly NamedExpression[], next: Stage): Stage {
  return {
    push: (row) => {
      for (const { name, of } of columns) row.set(name, of(row));
      return next.push(row);
    },
    end: () => next.end(),
  };
}

function extracting({ of, names, extract }: Command & { readonly kind: "parse" }, next: Stage): Stage {
  return {
    push: (row) => {
      const caught = extract(textOf(of(row)) ?? "");
      if (caught) for (const [at, name] of names.entries()) row.set(name, caught[at]);
      return next.push(row);
    },
    end: () => next.end(),
  };
}

function limiting(count: number, next: Stage): Stage {
  let passed = 0;
  return { push: (row) => (passed++ < count ? next.push(row) && passed < count : false), end: () => next.end() };
}

function deduplicating(by: readonly Expression[], next: Stage): Stage {
  const seen = new Set<string>();
  return {
    push: (row) => {
      const values = by.map((of) => textOf(of(row)));
      const key = JSON.stringify(values);
      // Lines without a value are all kept.
      if (values.every((value) => value === undefined)) return next.push(row);
      if (seen.has(key)) return true;
      seen.add(key);
      return next.push(row);
    },
    end: () => next.end(),
  };
}

interface Group {
  readonly keys: readonly Value[];
  readonly aggregates: readonly Aggregate[];
}

class Grouping implements Stage {
  readonly #columns: readonly NamedExpression[];
  readonly #uses: readonly AggregateUse[];
  readonly #by: readonly NamedExpression[];
  readonly #next: Stage;
  readonly #groups = new Map<string, Group>();

  constructor({ columns, uses, by }: Command & { readonly kind: "stats" }, next: Stage) {
    this.#columns = columns;
    this.#uses = uses;
    this.#by = by;
    this.#next = next;
  }

  push(row: Row): boolean {
    const keys = this.#by.map(({ of }) => of(row));
    const [only] = keys;
    const key = keys.length === 1 ? (textOf(only) ?? "\u0000") : JSON.stringify(keys.map(textOf));
    let group = this.#groups.get(key);
    if (!group) {
      // More groups than can be shown are not begun.
      if (this.#groups.size >= maxRows * 10) return true;
      group = { keys, aggregates: this.#uses.map(({ start }) => start()) };
      this.#groups.set(key, group);
    }
    for (const [at, { of }] of this.#uses.entries()) group.aggregates[at]?.add(of(row));
    return true;
  }

  end(): void {
    // Without "by" there is one row, whatever came.
    if (this.#by.length === 0 && this.#groups.size === 0)
      this.#groups.set("", { keys: [], aggregates: this.#uses.map(({ start }) => start()) });
    for (const { keys, aggregates } of this.#groups.values()) {
      const row = new MadeRow();
      for (const [at, { name }] of this.#by.entries()) row.set(name, keys[at]);
      for (const [at, { name }] of this.#uses.entries()) row.set(name, aggregates[at]?.result());
      for (const { name, of } of this.#columns) row.set(name, of(row));
      if (!this.#next.push(row)) break;
    }
    this.#next.end();
  }
}

type SortKeys = (Command & { readonly kind: "sort" })["keys"];

/** Keeps the rows that can still be shown. */
class Sorting implements Stage {
  readonly #keys: SortKeys;
  readonly #next: Stage;
  #rows: { readonly row: Row; readonly values: readonly Value[] }[] = [];

  constructor(keys: SortKeys, next: Stage) {
    this.#keys = keys;
    this.#next = next;
  }

  push(row: Row): boolean {
    this.#rows.push({ row, values: this.#keys.map(({ of }) => of(row)) });
    if (this.#rows.length >= maxRows * 3) this.#sort();
    return true;
  }

  end(): void {
    this.#sort();
    for (const { row } of this.#rows) if (!this.#next.push(row)) break;
    this.#next.end();
  }

  #sort(): void {
    this.#rows.sort((a, b) => this.#order(a.values, b.values));
    this.#rows.length = Math.min(this.#rows.length, maxRows);
  }

  #order(a: readonly Value[], b: readonly Value[]): number {
    for (const [at, { isDescending }] of this.#keys.entries()) {
      const [left, right] = [a[at], b[at]];
      const order = compare(left, right);
      // What is missing comes last in either direction.
      if (order !== 0) return isDescending && left !== undefined && right !== undefined ? -order : order;
    }
    return 0;
  }
}
