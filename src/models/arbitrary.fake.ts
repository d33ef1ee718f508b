// Values made from a model, for property tests: valid ones at the edges of what the model allows, and spoiled ones.
// Everything follows from a seed, so a failing case is named by its number.
import { constraintsOf } from "./constraints.ts";
import type { Shape, StringShape, StructureShape } from "./model.ts";

/** A number in [0, bound). */
export type Choose = (bound: number) => number;

/** mulberry32: small, even enough, and the same everywhere. */
export function chooser(seed: number): Choose {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

/** Lists and maps longer than this are not worth their time in a test. */
const maxEntries = 3;
const maxText = 3_000;
const deepest = 6;

/** A value of the shape's type that keeps its lengths, ranges and enums, and its pattern where a simple text does. */
export function validValue(shape: Shape, choose: Choose, depth = 0): unknown {
  if (shape.type === "structure") return validStructure(shape, choose, depth);
  if (shape.type === "string") return validText(shape, choose);
  if (shape.type === "list") {
    const element = shape.member.shape;
    return Array.from({ length: entryCount(shape, choose, depth) }, () => validValue(element, choose, depth + 1));
  }
  if (shape.type !== "map") return validScalar(shape, choose);
  const count = entryCount(shape, choose, depth);
  const keys = new Set(Array.from({ length: count }, () => String(validValue(shape.key.shape, choose, depth + 1))));
  return record([...keys].map((key) => [key, validValue(shape.value.shape, choose, depth + 1)]));
}

function validStructure(shape: StructureShape, choose: Choose, depth: number): Record<string, unknown> {
  const members = [...shape.members.values()];
  const chosen = shape.isUnion && members.length > 0 ? choose(members.length) : undefined;
  const value: Record<string, unknown> = {};
  for (const [index, member] of members.entries()) {
    const isWanted =
      chosen === undefined ? member.isRequired || (depth < deepest && choose(2) === 0) : index === chosen;
    if (isWanted && depth <= 2 * deepest) value[member.name] = validValue(member.shape, choose, depth + 1);
  }
  return value;
}

function entryCount(
  { min = 0, max = maxEntries }: { min?: number | undefined; max?: number | undefined },
  choose: Choose,
  depth: number,
): number {
  if (depth >= deepest) return Math.min(min, maxEntries);
  const most = Math.min(max, Math.max(min, maxEntries));
  const least = Math.min(min, most);
  return Math.min(least + choose(most - least + 1), 50);
}

const record = (entries: readonly (readonly [string, unknown])[]): Record<string, unknown> => {
  const value: Record<string, unknown> = Object.create(null);
  for (const [key, item] of entries) value[key] = item;
  return value;
};

const texts = [
  "a",
  "ab-1",
  "abc",
  "A1",
  "1",
  "12",
  "000000000000",
  "1.0",
  "a/b",
  "/",
  "/a/",
  "s3://bucket/key",
  "https://example.com/a",
  "arn:aws:iam::000000000000:role/service-role/a",
  "arn:aws:sagemaker:us-east-1:000000000000:model/a",
  "arn:aws:kms:us-east-1:000000000000:key/a",
  "ml.m5.large",
  "us-east-1",
  "2026-01-01T00:00:00Z",
  "ü & <é> \"q\" 'r' %2F + \u{1F600}",
  " two  words ",
  "__proto__",
  "constructor",
  "line\nbreak\ttab",
];

/** Texts at both ends of the length allowed, and every simple text that the shape takes. */
function validTexts(shape: StringShape): string[] {
  if (shape.enum) return [...shape.enum];
  const { min = 0, max = maxText } = shape;
  const edges = [min, min + 1, max - 1, max].filter((length) => length >= min && length <= Math.min(max, maxText));
  const candidates = [...texts, ...edges.flatMap((length) => ["a".repeat(length), "1".repeat(length)])];
  const constraints = constraintsOf(shape);
  return candidates.filter((text) => constraints.every(({ accepts }) => accepts(text)));
}

function validText(shape: StringShape, choose: Choose): string {
  const valid = validTexts(shape);
  // No simple text fits some patterns (digests, long ARNs): the type is right at least.
  return valid[choose(valid.length)] ?? "a".repeat(Math.min(shape.min ?? 1, maxText));
}

function validScalar(shape: Shape, choose: Choose): unknown {
  if (shape.type === "boolean") return choose(2) === 0;
  if (shape.type === "timestamp") return new Date((choose(2_000_000_000) - 100_000_000) * 1000);
  if (shape.type === "blob")
    return Uint8Array.from({ length: Math.max(shape.min ?? 0, choose(40)) }, () => choose(256));
  if (shape.type === "document") return { a: [1, "b", { c: true }] };
  if (shape.type === "integer" || shape.type === "long") return validInteger(shape, choose);
  if (shape.type !== "float" && shape.type !== "double") throw new Error(`${shape.name} is no scalar`);
  const { min = 0.5, max = min + 1 } = shape;
  return [min, max, (min + max) / 2][choose(3)];
}

function validInteger(
  { type, min, max }: Extract<Shape, { type: "integer" | "long" | "float" | "double" }>,
  choose: Choose,
): number {
  const least = min ?? (type === "integer" ? -(2 ** 31) : -(2 ** 53) + 1);
  const most = max ?? (type === "integer" ? 2 ** 31 - 1 : 2 ** 53 - 1);
  const middle = Math.floor((least + most) / 2);
  return [least, most, middle, Math.max(least, Math.min(most, 1))][choose(4)] ?? least;
}

export const spoilings = ["missing member", "extra member", "wrong type", "huge text", "null"] as const;
export type Spoiling = (typeof spoilings)[number];

/** A copy of a structure's value with one thing wrong, somewhere in it. */
export function spoiledValue(value: unknown, spoiling: Spoiling, choose: Choose): unknown {
  if (!isPlain(value)) return wrongValue(spoiling, choose);
  const keys = Object.keys(value);
  const key = keys[choose(keys.length)] ?? "Unheard";
  const inner = value[key];
  if (isPlain(inner) && choose(3) > 0) return { ...value, [key]: spoiledValue(inner, spoiling, choose) };
  if (Array.isArray(inner) && inner.length > 0 && choose(3) > 0) {
    return { ...value, [key]: inner.with(0, spoiledValue(inner[0], spoiling, choose)) };
  }
  if (spoiling === "extra member")
    return record([...Object.entries(value), ["__proto__", "x"], ["Unheard", { of: [1] }]]);
  if (spoiling === "missing member") return record(Object.entries(value).filter(([name]) => name !== key));
  if (spoiling === "huge text") return { ...value, [key]: "x".repeat(50_000) };
  return { ...value, [key]: wrongValue(spoiling, choose) };
}

const wrongValue = (spoiling: Spoiling, choose: Choose): unknown =>
  spoiling === "null" ? null : wrongValues[choose(wrongValues.length)];

const wrongValues: readonly unknown[] = [
  "text",
  -1,
  1.5,
  1e300,
  true,
  [],
  {},
  [[null]],
  "",
  "\0",
  "\u{1F600}".repeat(300),
  { constructor: 1 },
];

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Date) &&
  !(value instanceof Uint8Array);
