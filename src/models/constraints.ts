// The constraints of scalars: tests, and the texts that AWS has for them.
import type { BlobShape, ListShape, MapShape, NumberShape, Shape, StringShape } from "./model.ts";
import { wholeTextPattern } from "./pattern.ts";

export interface Constraint {
  /** e.g. "Member must have length less than or equal to 63" */
  readonly text: string;
  readonly accepts: (value: unknown) => boolean;
}

export const notNull = "Member must not be null";

/**
 * Beyond this length a text that is too long anyway is not matched against its pattern: some patterns take quadratic time.
 * AWS lists both errors; so do we for any text that someone may have meant.
 */
const maxMatchedLength = 4096;

/** In the order in which AWS lists a list's or map's: maximum, minimum, then pattern or enum. */
export function constraintsOf(shape: Shape): readonly Constraint[] {
  const { type } = shape;
  if (type === "string") return [...lengths(shape, codePoints), ...patternOf(shape), ...enumOf(shape)];
  if (type === "blob") return shape.isStreaming ? [] : lengths(shape, byteCount);
  if (type === "list" || type === "map") return lengths(shape, entryCount);
  const isNumber = type === "integer" || type === "long" || type === "float" || type === "double";
  return isNumber ? range(shape) : [];
}

const byteCount = (value: unknown): number | undefined => (value instanceof Uint8Array ? value.length : undefined);

function entryCount(value: unknown): number | undefined {
  if (Array.isArray(value)) return value.length;
  return typeof value === "object" && value !== null ? Object.keys(value).length : undefined;
}

function codePoints(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  let count = value.length;
  for (let at = 0; at < value.length; at += 1) {
    const isPair = (value.codePointAt(at) ?? 0) > 0xffff;
    if (isPair) {
      count -= 1;
      at += 1;
    }
  }
  return count;
}

function lengths(
  { min, max }: StringShape | BlobShape | ListShape | MapShape,
  lengthOf: (value: unknown) => number | undefined,
): Constraint[] {
  const found: Constraint[] = [];
  if (max !== undefined) {
    const text = `Member must have length less than or equal to ${max}`;
    found.push({ text, accepts: (value) => (lengthOf(value) ?? 0) <= max });
  }
  if (min !== undefined) {
    const text = `Member must have length greater than or equal to ${min}`;
    found.push({ text, accepts: (value) => min === 0 || (lengthOf(value) ?? min) >= min });
  }
  return found;
}

function range({ min, max }: NumberShape): Constraint[] {
  const found: Constraint[] = [];
  if (max !== undefined) {
    const text = `Member must have value less than or equal to ${max}`;
    // Written so that NaN passes neither bound.
    found.push({ text, accepts: (value) => typeof value !== "number" || value <= max });
  }
  if (min !== undefined) {
    const text = `Member must have value greater than or equal to ${min}`;
    found.push({ text, accepts: (value) => typeof value !== "number" || value >= min });
  }
  return found;
}

function patternOf({ pattern, matchedPattern, max }: StringShape): Constraint[] {
  if (pattern === undefined || matchedPattern === undefined) return [];
  let expression: RegExp | undefined;
  const limit = Math.max(maxMatchedLength, max ?? Number.POSITIVE_INFINITY);
  const accepts = (value: unknown): boolean => {
    if (typeof value !== "string" || value.length > limit) return true;
    expression ??= wholeTextPattern(matchedPattern);
    return expression.test(value);
  };
  return [{ text: `Member must satisfy regular expression pattern: ${pattern}`, accepts }];
}

function enumOf({ enum: values }: StringShape): Constraint[] {
  if (!values) return [];
  const known = new Set<unknown>(values);
  return [{ text: `Member must satisfy enum value set: [${values.join(", ")}]`, accepts: (value) => known.has(value) }];
}
