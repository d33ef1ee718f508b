// The canonical request of Signature Version 4, byte for byte.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
import { unescapeBytes } from "../lib/header-text.ts";

/** A request as it arrived: nothing decoded, nothing normalised. */
export interface SignedRequest {
  readonly method: string;
  /** Percent-encoded, without the query. */
  readonly rawPath: string;
  /** Without the question mark. */
  readonly rawQuery: string;
  /** Lower-cased names; repeated headers joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
}

const unreservedPath = /^[A-Za-z0-9\-._~/]*$/;
const hexPair = /^[0-9A-Fa-f]{2}$/;

const encodedBytes: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9\-._~]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
});

/** RFC 3986 encoding of UTF-8 bytes: everything but the unreserved characters. */
export function uriEncode(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += encodedBytes[byte];
  return text;
}

/** Decodes %XX once; a percent sign without two hex digits stands for itself. */
function percentDecode(text: string): Uint8Array {
  const source = Buffer.from(text, "latin1");
  const bytes = Buffer.allocUnsafe(source.length);
  let length = 0;
  for (let at = 0; at < source.length; at++) {
    const pair = source[at] === 0x25 ? text.slice(at + 1, at + 3) : "";
    if (hexPair.test(pair)) {
      bytes[length++] = Number.parseInt(pair, 16);
      at += 2;
    } else {
      bytes[length++] = source[at] ?? 0;
    }
  }
  return bytes.subarray(0, length);
}

/** S3 signs the path as it is: encoded once, dot segments and doubled slashes kept. */
function s3Path(rawPath: string): string {
  if (unreservedPath.test(rawPath)) return rawPath;
  return rawPath
    .split("/")
    .map((segment) => uriEncode(percentDecode(segment)))
    .join("/");
}

/** Everyone else removes dot segments and empty segments, and encodes the encoded path again. */
function normalisedPath(rawPath: string): string {
  const hasNothingToRemove = !rawPath.includes("//") && !rawPath.includes("/.");
  const path = hasNothingToRemove ? rawPath : withoutDots(rawPath);
  if (unreservedPath.test(path)) return path;
  return path
    .split("/")
    .map((segment) => uriEncode(Buffer.from(segment, "latin1")))
    .join("/");
}

function withoutDots(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  return `/${kept.join("/")}${path.endsWith("/") && kept.length > 0 ? "/" : ""}`;
}

const reencoded = (text: string): string =>
  /^[A-Za-z0-9\-._~]*$/.test(text) ? text : uriEncode(percentDecode(text.replaceAll("+", "%20")));

/** Name and value of each parameter, decoded and encoded anew, sorted; `leftOut` names one that is not signed. */
function canonicalQuery(rawQuery: string, leftOut: string): string {
  if (rawQuery === "") return "";
  const pairs: [string, string][] = [];
  for (const part of rawQuery.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = reencoded(equals < 0 ? part : part.slice(0, equals));
    if (name === leftOut) continue;
    pairs.push([name, equals < 0 ? "" : reencoded(part.slice(equals + 1))]);
  }
  // Encoded text is ASCII, so comparing code units compares bytes.
  pairs.sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0));
  return pairs.map(([name, value]) => `${name}=${value}`).join("&");
}

const trimmedValue = (value: string): string => (value.includes("  ") ? value.replace(/ +/g, " ") : value).trim();

export interface CanonicalOptions {
  readonly isS3: boolean;
  /** As the client listed them. */
  readonly signedHeaders: readonly string[];
  readonly payloadHash: string;
}

export function canonicalRequest(request: SignedRequest, options: CanonicalOptions): string {
  const { signedHeaders, payloadHash, isS3 } = options;
  let headers = "";
  for (const name of signedHeaders) headers += `${name}:${trimmedValue(unescapeBytes(request.headers[name] ?? ""))}\n`;
  const path = (isS3 ? s3Path : normalisedPath)(request.rawPath) || "/";
  const query = canonicalQuery(request.rawQuery, "X-Amz-Signature");
  return `${request.method}\n${path}\n${query}\n${headers}\n${signedHeaders.join(";")}\n${payloadHash}`;
}
