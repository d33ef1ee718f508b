// Compiles a shape into a closure that turns a decoded JSON or CBOR value into typed input. Wrong types are a
// SerializationException, in the words of Coral, AWS's server framework, as clients have reported them.
import { AwsError } from "../lib/aws-error.ts";
import type { MapShape, NumberShape, Shape, StructureShape } from "../models/index.ts";

/** Reads one value; `depth` counts the structures, lists and maps around it. */
export type ReadValue = (value: unknown, depth: number) => unknown;

/** How a format carries what JSON has no type for. Both throw AwsError on what they cannot read. */
export interface ScalarFormat {
  readonly timestamp: ReadValue;
  readonly blob: ReadValue;
}

/** Deeper nesting than any model has, yet far from the end of the stack. */
export const maxDepth = 100;

export const serializationError = (message: string): AwsError => new AwsError("SerializationException", message);

/** A compiler with its own memory: asking twice for one shape gives one closure. */
export function valueReaders(format: ScalarFormat): (shape: Shape) => ReadValue {
  const made = new Map<Shape, ReadValue>();
  const readerOf = (shape: Shape): ReadValue => {
    const known = made.get(shape);
    if (known) return known;
    let build: ReadValue | undefined;
    // A shape that contains itself meets this forwarder while it is being built.
    made.set(shape, (value, depth) => (build ? build(value, depth) : undefined));
    build = compile(shape, readerOf, format);
    made.set(shape, build);
    return build;
  };
  return readerOf;
}

function compile(shape: Shape, readerOf: (shape: Shape) => ReadValue, format: ScalarFormat): ReadValue {
  if (shape.type === "structure") return structureReader(shape, readerOf);
  if (shape.type === "list") return listReader(readerOf(shape.member.shape));
  if (shape.type === "map") return mapReader(shape, readerOf);
  if (shape.type === "timestamp") return format.timestamp;
  if (shape.type === "blob") return format.blob;
  if (shape.type === "string") return readString;
  if (shape.type === "boolean") return readBoolean;
  if (shape.type === "document") return readDocument;
  return shape.type === "integer" || shape.type === "long" ? integerReader(shape.type) : floatReader(shape.type);
}

function structureReader(shape: StructureShape, readerOf: (shape: Shape) => ReadValue): ReadValue {
  const byWireName = new Map<string, { readonly name: string; readonly read: ReadValue }>();
  for (const member of shape.members.values()) {
    if (member.location === "body")
      byWireName.set(member.wireName, { name: member.name, read: readerOf(member.shape) });
  }
  return (value, depth) => {
    if (!isRecord(value)) throw serializationError(`${kindOf(value)} found where not expected.`);
    if (depth > maxDepth) throw serializationError("The request is nested too deeply.");
    const result: Record<string, unknown> = {};
    for (const key in value) {
      const member = byWireName.get(key);
      const given = value[key];
      if (member && given !== null && given !== undefined) result[member.name] = member.read(given, depth + 1);
    }
    return result;
  };
}

function listReader(readElement: ReadValue): ReadValue {
  return (value, depth) => {
    if (!Array.isArray(value)) throw serializationError("Expected list or null");
    if (depth > maxDepth) throw serializationError("The request is nested too deeply.");
    // A null element stays, for the validator to name it.
    return value.map((element: unknown) => (element === null ? null : readElement(element, depth + 1)));
  };
}

function mapReader(shape: MapShape, readerOf: (shape: Shape) => ReadValue): ReadValue {
  const readElement = readerOf(shape.value.shape);
  return (value, depth) => {
    if (!isRecord(value)) throw serializationError("Expected map or null");
    if (depth > maxDepth) throw serializationError("The request is nested too deeply.");
    // Keys are the caller's own: "__proto__" must be one like any other.
    const result: Record<string, unknown> = Object.create(null);
    for (const key of Object.keys(value)) {
      const element = value[key];
      result[key] = element === null ? null : readElement(element, depth + 1);
    }
    return result;
  };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Date) &&
  !(value instanceof Uint8Array);

function readString(value: unknown): string {
  if (typeof value !== "string") throw wrongType(value, "a String");
  return value;
}

function readBoolean(value: unknown): boolean {
  if (typeof value !== "boolean") throw wrongType(value, "a Boolean");
  return value;
}

function integerReader(type: NumberShape["type"]): ReadValue {
  const limit = type === "integer" ? 2 ** 31 : 2 ** 63;
  const expected = type === "integer" ? "an Integer" : "a Long";
  return (value) => {
    const number = typeof value === "bigint" ? Number(value) : value;
    if (typeof number !== "number") throw wrongType(value, expected);
    if (!Number.isInteger(number)) throw serializationError(`DECIMAL_VALUE can not be converted to ${expected}`);
    // As a double, 2^63 - 1 is 2^63: the largest long must pass.
    if (number < -limit || (type === "integer" ? number >= limit : number > limit)) {
      throw serializationError(`NUMBER_VALUE is out of range for ${expected}`);
    }
    return number;
  };
}

const namedFloats: ReadonlyMap<unknown, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);

function floatReader(type: NumberShape["type"]): ReadValue {
  const expected = type === "float" ? "a Float" : "a Double";
  return (value) => {
    const number = typeof value === "bigint" ? Number(value) : (namedFloats.get(value) ?? value);
    if (typeof number !== "number") throw wrongType(value, expected);
    return number;
  };
}

function readDocument(value: unknown, depth: number): unknown {
  if (depth > maxDepth) throw serializationError("The request is nested too deeply.");
  if (Array.isArray(value)) return value.map((element: unknown) => readDocument(element, depth + 1));
  if (!isRecord(value)) return value;
  const result: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(value)) result[key] = readDocument(value[key], depth + 1);
  return result;
}

/** The error for a value of the wrong type, e.g. `NUMBER_VALUE can not be converted to a String`. */
export function wrongType(value: unknown, expected: string): AwsError {
  const token = tokenOf(value);
  return serializationError(
    token === undefined ? `${kindOf(value)} found where not expected.` : `${token} can not be converted to ${expected}`,
  );
}

function tokenOf(value: unknown): string | undefined {
  if (typeof value === "string") return "STRING_VALUE";
  if (typeof value === "boolean") return value ? "TRUE_VALUE" : "FALSE_VALUE";
  if (typeof value !== "number" && typeof value !== "bigint") return undefined;
  return Number.isInteger(Number(value)) ? "NUMBER_VALUE" : "DECIMAL_VALUE";
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "Start of list";
  if (isRecord(value)) return "Start of structure or map";
  return "Unexpected value";
}
