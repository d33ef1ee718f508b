// Carries out a metric math expression over time series.
import { functions, words } from "./functions.ts";
import type { BinaryOperator, Node } from "./parse-expression.ts";
import { bounded, isArray, isSeries, joined, mapped, type Span, type TimeSeries, type Value } from "./time-series.ts";
import { ExpressionError } from "./tokens.ts";

export interface Surroundings {
  readonly span: Span;
  /** The value of another query; undefined where no query has that id. */
  valueOf(id: string): Value | undefined;
  /** Every metric of the request whose id contains the text, for METRICS(). */
  metrics(idPart: string): readonly TimeSeries[];
}

const truth = (isTrue: boolean): number => (isTrue ? 1 : 0);

const operators: Readonly<Record<BinaryOperator, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "^": (a, b) => a ** b,
  "<": (a, b) => truth(a < b),
  "<=": (a, b) => truth(a <= b),
  ">": (a, b) => truth(a > b),
  ">=": (a, b) => truth(a >= b),
  "==": (a, b) => truth(a === b),
  "!=": (a, b) => truth(a !== b),
  AND: (a, b) => truth(a !== 0 && b !== 0),
  OR: (a, b) => truth(a !== 0 || b !== 0),
};

/** Throws ExpressionError. */
export function evaluate(node: Node, around: Surroundings): Value {
  switch (node.kind) {
    case "number":
    case "text":
      return node.value;
    case "name":
      return named(node.name, around);
    case "negation":
      return binary("*", -1, evaluate(node.of, around));
    case "binary":
      return binary(node.operator, evaluate(node.left, around), evaluate(node.right, around));
    case "array":
      return arrayOf(node.items, around);
    case "call":
      return call(node.name, node.arguments, around);
  }
}

function arrayOf(items: readonly Node[], around: Surroundings): readonly TimeSeries[] {
  const all: TimeSeries[] = [];
  // Looked at with each item: all of them at once might be too many to hold.
  for (const item of items) {
    all.push(...seriesOf(evaluate(item, around)));
    bounded(all);
  }
  return all;
}

function named(name: string, around: Surroundings): Value {
  const value = around.valueOf(name);
  if (value !== undefined) return value;
  if (words.has(name)) return name;
  throw new ExpressionError(`There is no query with the id ${name}`);
}

function seriesOf(value: Value): readonly TimeSeries[] {
  if (isArray(value)) return value;
  if (isSeries(value)) return [value];
  throw new ExpressionError("An array holds time series only");
}

function call(name: string, given: readonly Node[], around: Surroundings): Value {
  const values = given.map((argument) => evaluate(argument, around));
  if (name === "METRICS") {
    const [part = ""] = values;
    if (typeof part !== "string" || values.length > 1) throw new ExpressionError("METRICS takes at most one text");
    return around.metrics(part);
  }
  const math = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (!math) throw new ExpressionError(`The function ${name} is not supported by Salvia`);
  return math({ name, values, span: around.span });
}

function binary(operator: BinaryOperator, left: Value, right: Value): Value {
  const of = operators[operator];
  if (typeof left === "string" || typeof right === "string")
    throw new ExpressionError(`The operator ${operator} takes numbers and time series`);
  if (isArray(left) && isArray(right)) throw new ExpressionError(`The operator ${operator} takes at most one array`);
  if (isArray(left)) return left.map((one) => single(of, one, right as number | TimeSeries) as TimeSeries);
  if (isArray(right)) return right.map((one) => single(of, left, one) as TimeSeries);
  return single(of, left, right);
}

function single(
  of: (a: number, b: number) => number,
  left: number | TimeSeries,
  right: number | TimeSeries,
): number | TimeSeries {
  if (typeof left === "number")
    return typeof right === "number" ? of(left, right) : mapped(right, (value) => of(left, value));
  return typeof right === "number" ? mapped(left, (value) => of(value, right)) : joined(left, right, of);
}
