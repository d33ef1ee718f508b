// Scalars that arrive as text: in query strings, headers, paths, form fields and XML.
import type { AwsError } from "../lib/aws-error.ts";
import type { Shape } from "../models/index.ts";
import { decodeBase64 } from "./json.ts";
import { parseTimestamp } from "./timestamps.ts";

/** Makes the error for a text that is not of the shape's type; `expected` is, e.g., "an Integer". */
export type Refuse = (expected: string, text: string) => AwsError;

const integer = /^[+-]?\d{1,19}$/;
const decimal = /^[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,4})?$/;

/** Throws what `refuse` makes. White space around numbers, booleans and timestamps is ignored. */
export function readScalar(shape: Shape, text: string, refuse: Refuse): unknown {
  if (shape.type === "string") return text;
  if (shape.type === "integer" || shape.type === "long") return readInteger(shape.type, text, refuse);
  if (shape.type === "float" || shape.type === "double") return readDecimal(text, refuse);
  if (shape.type === "boolean") return readBoolean(text, refuse);
  const value =
    shape.type === "timestamp"
      ? parseTimestamp(text.trim())
      : shape.type === "blob"
        ? decodeBase64(text.replaceAll(/\s+/g, ""))
        : undefined;
  if (value === undefined) throw refuse(expectations.get(shape.type) ?? "a scalar", text);
  return value;
}

const expectations: ReadonlyMap<string, string> = new Map([
  ["timestamp", "a Timestamp"],
  ["blob", "a Blob"],
]);

function readInteger(type: "integer" | "long", text: string, refuse: Refuse): number {
  const expected = type === "integer" ? "an Integer" : "a Long";
  const limit = type === "integer" ? 2 ** 31 : 2 ** 63;
  const trimmed = text.trim();
  const value = Number(trimmed);
  if (!integer.test(trimmed) || value < -limit || (type === "integer" ? value >= limit : value > limit)) {
    throw refuse(expected, text);
  }
  return value;
}

function readDecimal(text: string, refuse: Refuse): number {
  const trimmed = text.trim();
  if (trimmed === "NaN") return Number.NaN;
  if (trimmed === "Infinity" || trimmed === "-Infinity") return Number(trimmed);
  if (!decimal.test(trimmed)) throw refuse("a Double", text);
  return Number(trimmed);
}

function readBoolean(text: string, refuse: Refuse): boolean {
  switch (text.trim().toLowerCase()) {
    case "true":
      return true;
    case "false":
      return false;
    default:
      throw refuse("a Boolean", text);
  }
}
