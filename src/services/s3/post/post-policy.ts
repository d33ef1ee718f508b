// The policy of a browser's upload form: what its fields and its file may be, and until when.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
import { AwsError } from "../../../lib/aws-error.ts";

/** In bytes of the file. */
export interface SizeRange {
  readonly min: number;
  readonly max: number;
}

/** Fields that no condition needs to name: what proves the policy, and what the form says besides. */
const isExempt = (name: string): boolean =>
  ["policy", "signature", "x-amz-signature", "awsaccesskeyid", "file", "bucket"].includes(name) ||
  name.startsWith("x-ignore-");

const invalidDocument = (message: string): AwsError =>
  new AwsError("InvalidPolicyDocument", `Invalid Policy: ${message}`, { httpStatus: 400 });

const refused = (message: string): AwsError =>
  new AwsError("AccessDenied", `Invalid according to Policy: ${message}`, { httpStatus: 403 });

interface Document {
  readonly expiresAtMs: number;
  readonly conditions: readonly unknown[];
}

function parseDocument(base64: string): Document {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(base64, "base64").toString("utf8"));
  } catch {
    throw invalidDocument("Invalid JSON."); // the only failure there is: a SyntaxError
  }
  if (typeof document !== "object" || document === null) throw invalidDocument("Invalid JSON.");
  const { expiration, conditions }: { expiration?: unknown; conditions?: unknown } = document;
  if (typeof expiration !== "string") throw invalidDocument("Policy missing expiration.");
  const expiresAtMs = Date.parse(expiration);
  if (Number.isNaN(expiresAtMs)) throw invalidDocument(`Invalid 'expiration' value: '${expiration}'`);
  if (!Array.isArray(conditions)) throw invalidDocument("Policy missing conditions.");
  return { expiresAtMs, conditions };
}

interface Condition {
  readonly operator: "eq" | "starts-with";
  /** Lower-cased. */
  readonly field: string;
  readonly value: string;
}

/** ["eq", "$field", value], ["starts-with", "$field", start] or ["content-length-range", min, max]. */
function listed(entry: readonly unknown[]): readonly Condition[] | SizeRange {
  const [operator, first, second] = entry;
  if (entry.length !== 3) throw invalidDocument("Invalid Condition: wrong number of arguments.");
  const name = typeof operator === "string" ? operator.toLowerCase() : "";
  if (name === "content-length-range") return sizeRange(Number(first), Number(second));
  const isKnown = name === "eq" || name === "starts-with";
  if (!isKnown || typeof first !== "string" || !first.startsWith("$") || typeof second !== "string") {
    throw invalidDocument(`Invalid Simple-Condition: ${JSON.stringify(entry)}`);
  }
  return [{ operator: name, field: first.slice(1).toLowerCase(), value: second }];
}

/** The conditions of one entry of the list, or the range of sizes that it sets. */
function conditionsOf(entry: unknown): readonly Condition[] | SizeRange {
  if (Array.isArray(entry)) return listed(entry);
  if (typeof entry !== "object" || entry === null) throw invalidDocument("Invalid Condition.");
  return Object.entries(entry).map(([name, value]: readonly [string, unknown]) => {
    if (typeof value !== "string") throw invalidDocument(`Invalid Simple-Condition: ${JSON.stringify(entry)}`);
    return { operator: "eq", field: name.toLowerCase(), value };
  });
}

function sizeRange(min: number, max: number): SizeRange {
  if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || min < 0) {
    throw invalidDocument("Invalid content-length-range.");
  }
  return { min, max };
}

const holds = ({ operator, value }: Condition, given: string): boolean =>
  operator === "eq" ? given === value : given.startsWith(value);

/**
 * Throws InvalidPolicyDocument, or AccessDenied where the policy has expired, a condition fails, or a field has none. `fields`:
 * by lower-cased name, with "bucket", and variables already filled in.
 */
export function checkPostPolicy(policy: string, fields: ReadonlyMap<string, string>, nowMs: number): SizeRange {
  const { expiresAtMs, conditions } = parseDocument(policy);
  if (nowMs >= expiresAtMs) throw refused("Policy expired.");
  const named = new Set<string>();
  let range: SizeRange = { min: 0, max: Number.MAX_SAFE_INTEGER };
  for (const entry of conditions) {
    const parsed = conditionsOf(entry);
    if ("min" in parsed) {
      range = { min: Math.max(range.min, parsed.min), max: Math.min(range.max, parsed.max) };
      continue;
    }
    for (const condition of parsed) {
      named.add(condition.field);
      if (holds(condition, fields.get(condition.field) ?? "")) continue;
      const { operator, field, value } = condition;
      throw refused(`Policy Condition failed: ${JSON.stringify([operator, `$${field}`, value])}`);
    }
  }
  const extra = [...fields.keys()].find((name) => !isExempt(name) && !named.has(name));
  if (extra !== undefined) throw refused(`Extra input fields: ${extra}`);
  return range;
}

/** The file's bytes; fails with EntityTooLarge as soon as they are too many, with EntityTooSmall at their end. */
export async function* withinRange(
  file: AsyncIterable<Uint8Array>,
  { min, max }: SizeRange,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of file) {
    bytes += chunk.byteLength;
    if (bytes > max) {
      throw new AwsError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", {
        httpStatus: 400,
        fields: { ProposedSize: bytes, MaxSizeAllowed: max },
      });
    }
    yield chunk;
  }
  if (bytes >= min) return;
  throw new AwsError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", {
    httpStatus: 400,
    fields: { ProposedSize: bytes, MinSizeAllowed: min },
  });
}
