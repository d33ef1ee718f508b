// Values of expressions. Null and missing are unknown: what is compared with them is neither true nor false.
import type { AwsError } from "../../../lib/aws-error.ts";
import type { CastType, Expression } from "./expression.ts";
import type { SelectRecord, Value } from "./record.ts";
import { selectError } from "./select-errors.ts";

const isUnknown = (value: Value): value is null | undefined => value === null || value === undefined;

const numeric = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

/** Fields of CSV are text; one that looks like a number counts as one beside a number. */
export const numberOf = (value: Value): number | undefined => {
  if (typeof value === "number") return value;
  return typeof value === "string" && numeric.test(value) ? Number(value) : undefined;
};

export const textOf = (value: Value): string =>
  typeof value === "string"
    ? value
    : isUnknown(value)
      ? ""
      : typeof value === "object"
        ? JSON.stringify(value)
        : String(value);

const orderOf = <T extends number | string>(a: T, b: T): number => (a === b ? 0 : a < b ? -1 : 1);

/** Below, at or above zero; undefined where they cannot be compared. */
export function order(left: Value, right: Value): number | undefined {
  if (isUnknown(left) || isUnknown(right)) return undefined;
  if (typeof left === "number" || typeof right === "number") {
    const [a, b] = [numberOf(left), numberOf(right)];
    return a === undefined || b === undefined ? undefined : orderOf(a, b);
  }
  const [a, b] = [textOf(left), textOf(right)];
  const isBoolean = typeof left === "boolean" || typeof right === "boolean";
  return isBoolean ? orderOf(a.toLowerCase(), b.toLowerCase()) : orderOf(a, b);
}

function compare(operator: string, left: Value, right: Value): boolean | null {
  const difference = order(left, right);
  if (difference === undefined) return null;
  switch (operator) {
    case "=":
      return difference === 0;
    case "<":
      return difference < 0;
    case "<=":
      return difference <= 0;
    case ">":
      return difference > 0;
    case ">=":
      return difference >= 0;
    default:
      return difference !== 0;
  }
}

function arithmetic(operator: string, left: Value, right: Value): Value {
  if (isUnknown(left) || isUnknown(right)) return null;
  if (operator === "||") return textOf(left) + textOf(right);
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a === undefined || b === undefined) {
    throw selectError("EvaluatorInvalidArguments", `The operands of ${operator} are no numbers.`);
  }
  if (operator === "+") return a + b;
  if (operator === "-") return a - b;
  if (operator === "*") return a * b;
  if (b === 0) throw selectError("EvaluatorInvalidArguments", "Division by zero.");
  return operator === "/" ? a / b : a % b;
}

const castFailed = (value: Value, type: CastType): AwsError =>
  selectError(
    "CastFailed",
    `Attempt to convert from one data type to another using CAST failed: ${textOf(value)} to ${type}.`,
  );

function cast(value: Value, type: CastType): Value {
  if (isUnknown(value)) return value;
  if (type === "string") return textOf(value);
  if (type === "boolean") {
    const text = textOf(value).toLowerCase();
    if (text === "true" || text === "1") return true;
    if (text === "false" || text === "0") return false;
    throw castFailed(value, type);
  }
  const number = typeof value === "boolean" ? Number(value) : numberOf(value);
  if (number === undefined) throw castFailed(value, type);
  return type === "integer" ? Math.trunc(number) : number;
}

/** Without a regular expression: nothing that a pattern says may take exponential time. */
function isLike(text: string, pattern: readonly (string | { readonly literal: string })[]): boolean {
  let [at, of, starAt, starText] = [0, 0, -1, 0];
  const characters = Array.from(text);
  while (at < characters.length) {
    const wanted = pattern[of];
    const isOne = wanted === "_" || (typeof wanted === "object" && wanted.literal === characters[at]);
    if (isOne) {
      at++;
      of++;
    } else if (wanted === "%") {
      starAt = of++;
      starText = at;
    } else if (starAt >= 0) {
      of = starAt + 1;
      at = ++starText;
    } else {
      return false;
    }
  }
  while (pattern[of] === "%") of++;
  return of === pattern.length;
}

function like(text: Value, pattern: Value, escape: Value): boolean | null {
  if (isUnknown(text) || isUnknown(pattern)) return null;
  const parts: (string | { literal: string })[] = [];
  let isEscaped = false;
  for (const character of textOf(pattern)) {
    if (!isEscaped && character === escape) {
      isEscaped = true;
      continue;
    }
    parts.push(!isEscaped && (character === "%" || character === "_") ? character : { literal: character });
    isEscaped = false;
  }
  return isLike(textOf(text), parts);
}

function trimmed(text: string, characters: string, side: string): string {
  const inside = Array.from(text);
  let [from, to] = [0, inside.length];
  if (side !== "TRAILING") while (from < to && characters.includes(inside[from] ?? "")) from++;
  if (side !== "LEADING") while (to > from && characters.includes(inside[to - 1] ?? "")) to--;
  return inside.slice(from, to).join("");
}

/** Counted from one; a start before the text takes from the length. */
function substring(text: string, start: number, length: number | undefined): string {
  if (length !== undefined && length < 0) throw selectError("EvaluatorNegativeLimit", "A length is not negative.");
  const end = length === undefined ? undefined : Math.max(start - 1 + length, 0);
  return Array.from(text)
    .slice(Math.max(start - 1, 0), end)
    .join("");
}

function call(name: string, given: readonly Value[]): Value {
  const [first, second, third] = given;
  if (name === "COALESCE") return given.find((value) => !isUnknown(value)) ?? null;
  if (name === "NULLIF") return order(first, second) === 0 ? null : first;
  if (isUnknown(first)) return null;
  const text = textOf(first);
  if (name === "LOWER") return text.toLowerCase();
  if (name === "UPPER") return text.toUpperCase();
  if (name.startsWith("TRIM ")) return trimmed(text, textOf(second), name.slice(5));
  if (name === "SUBSTRING")
    return substring(text, numberOf(second) ?? 1, third === undefined ? undefined : numberOf(third));
  return Array.from(text).length;
}

const negated = (value: Value): boolean | null => (isUnknown(value) ? null : !isTrue(value));

export const isTrue = (value: Value): boolean =>
  value === true || (typeof value === "string" && value.toLowerCase() === "true");

function and(left: Value, right: () => Value): boolean | null {
  if (!isUnknown(left) && !isTrue(left)) return false;
  const other = right();
  if (!isUnknown(other) && !isTrue(other)) return false;
  return isUnknown(left) || isUnknown(other) ? null : true;
}

function or(left: Value, right: () => Value): boolean | null {
  if (isTrue(left)) return true;
  const other = right();
  if (isTrue(other)) return true;
  return isUnknown(left) || isUnknown(other) ? null : false;
}

function isIn(value: Value, options: readonly Value[]): boolean | null {
  const differences = options.map((option) => order(value, option));
  if (differences.includes(0)) return true;
  return differences.includes(undefined) ? null : false;
}

/** `totals`: values of the query's aggregates, once all records were seen. Throws AwsError: CastFailed and the like. */
export function evaluate(
  expression: Expression,
  record: SelectRecord | undefined,
  totals: readonly Value[] = [],
): Value {
  const value = (of: Expression): Value => evaluate(of, record, totals);
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- ofOne has the rest
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "path":
      return record?.at(expression.steps);
    case "aggregate":
      return totals[expression.slot];
    case "and":
      return and(value(expression.left), () => value(expression.right));
    case "or":
      return or(value(expression.left), () => value(expression.right));
    case "compare":
      return compare(expression.operator, value(expression.left), value(expression.right));
    case "arithmetic":
      return arithmetic(expression.operator, value(expression.left), value(expression.right));
    default:
      return ofOne(expression, value);
  }
}

type OfOne = Exclude<
  Expression,
  { readonly kind: "literal" | "path" | "aggregate" | "and" | "or" | "compare" | "arithmetic" }
>;

function ofOne(expression: OfOne, value: (of: Expression) => Value): Value {
  switch (expression.kind) {
    case "not":
      return negated(value(expression.of));
    case "negative":
      return arithmetic("-", 0, value(expression.of));
    case "like":
      return like(value(expression.of), value(expression.pattern), expression.escape && value(expression.escape));
    case "in":
      return isIn(value(expression.of), expression.options.map(value));
    case "between":
      return and(compare(">=", value(expression.of), value(expression.low)), () =>
        compare("<=", value(expression.of), value(expression.high)),
      );
    case "is-null":
      return isUnknown(value(expression.of));
    case "is-missing":
      return value(expression.of) === undefined;
    case "cast":
      return cast(value(expression.of), expression.type);
    case "call":
      return call(expression.name, expression.arguments.map(value));
  }
}
