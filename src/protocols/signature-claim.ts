// Reads what a request says about its signature (Signature Version 4, header or query). Nothing is proved here.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
import type { SignedRequest } from "./signature-canonical.ts";

/** What a request says about its own signature; nothing of it is proved yet. */
export interface SignatureClaim {
  readonly kind: "claim";
  readonly isPresigned: boolean;
  /** Absent: 4. */
  readonly version?: 2;
  readonly accessKeyId: string;
  /** YYYYMMDD */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  /** Lower-cased, as listed. */
  readonly signedHeaders: readonly string[];
  /** 64 hex digits when honest. */
  readonly signature: string;
  /** YYYYMMDDTHHMMSSZ */
  readonly signedAt: string;
  readonly signedAtMs: number;
  /** How long a presigned request may be used; of version 2: until when, in seconds of Unix time. */
  readonly expiresSeconds: number | undefined;
  readonly sessionToken: string | undefined;
  /** x-amz-content-sha256, or undefined where the request declares none. */
  readonly declaredPayload: string | undefined;
}

/** Why a signature is not accepted; signature-errors.ts turns it into the service's own words. */
export type SignatureProblem =
  | { readonly kind: "unsigned" }
  | { readonly kind: "malformed"; readonly isPresigned: boolean; readonly message: string }
  | { readonly kind: "not-yet-current" | "too-old"; readonly signedAt: string; readonly nowMs: number }
  | {
      readonly kind: "presigned-expired";
      readonly expiresAtMs: number;
      /** Undefined of version 2, which says only when. */
      readonly expiresSeconds: number | undefined;
      readonly nowMs: number;
    }
  | { readonly kind: "headers-not-signed"; readonly names: readonly string[] }
  | { readonly kind: "wrong-scope"; readonly message: string }
  | { readonly kind: "unknown-key"; readonly accessKeyId: string }
  | { readonly kind: "bad-token" }
  | { readonly kind: "expired-token" }
  | { readonly kind: "body-mismatch"; readonly declared: string; readonly computed: string }
  | {
      readonly kind: "mismatch";
      readonly claim: SignatureClaim;
      readonly stringToSign: string;
      /** Undefined of version 2, which has none. */
      readonly canonical: string | undefined;
    };

export const algorithm = "AWS4-HMAC-SHA256";
const maxExpiresSeconds = 604_800;
const defaultExpiresSeconds = 900;

const basicInstant = /^\d{8}T\d{6}Z$/;

/** Milliseconds of YYYYMMDDTHHMMSSZ, or undefined. */
function instantOf(text: string): number | undefined {
  if (!basicInstant.test(text)) return undefined;
  // Sliced and not captured: this runs for every request, and groups cost more than the rest of it.
  const part = (from: number, to: number): number => Number(text.slice(from, to));
  return Date.UTC(part(0, 4), part(4, 6) - 1, part(6, 8), part(9, 11), part(11, 13), part(13, 15));
}

/** YYYYMMDDTHHMMSSZ */
export const amzDate = (ms: number): string => new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, "");

export const malformed = (message: string, isPresigned = false): SignatureProblem => ({
  kind: "malformed",
  isPresigned,
  message,
});

interface Parts {
  readonly isPresigned: boolean;
  readonly credential: string;
  readonly signedHeaders: string;
  readonly signature: string;
  readonly signedAt: string;
  readonly expiresSeconds: number | undefined;
  readonly sessionToken: string | undefined;
  readonly declaredPayload: string | undefined;
}

/** AWS checks these in this order, and so do we: clients print the text. */
function scopeProblem(credential: string, signedAt: string, signedAtMs: number | undefined): string | undefined {
  const [accessKeyId, date = "", region, service, terminator, ...more] = credential.split("/");
  if (!accessKeyId || !region || !service || terminator === undefined || more.length > 0) {
    return `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential}'`;
  }
  if (terminator !== "aws4_request") {
    return `Credential should be scoped with a valid terminator: 'aws4_request', not '${terminator}'.`;
  }
  if (signedAtMs === undefined) {
    return `Date must be in ISO-8601 'basic format'. Got '${signedAt}'. See http://en.wikipedia.org/wiki/ISO_8601`;
  }
  const day = signedAt.slice(0, 8);
  return date === day
    ? undefined
    : `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${date}' != '${day}', from '${signedAt}'.`;
}

function claimOf(parts: Parts): SignatureClaim | SignatureProblem {
  const { isPresigned, signedAt, credential } = parts;
  const signedAtMs = instantOf(signedAt);
  const problem = scopeProblem(credential, signedAt, signedAtMs);
  if (problem !== undefined || signedAtMs === undefined) return malformed(problem ?? "", isPresigned);
  const signedHeaders = parts.signedHeaders.split(";");
  if (!signedHeaders.includes("host")) {
    return malformed("'Host' must be a 'SignedHeader' in the AWS Authorization.", isPresigned);
  }
  const [accessKeyId = "", date = "", region = "", service = ""] = credential.split("/");
  return { ...parts, kind: "claim", accessKeyId, date, region, service, signedHeaders, signedAtMs };
}

/** The Date header (RFC 9110) stands in where X-Amz-Date is absent. */
function dateHeader(headers: SignedRequest["headers"]): string | undefined {
  const { date } = headers;
  if (date === undefined) return undefined;
  if (instantOf(date) !== undefined) return date;
  const ms = Date.parse(date);
  return Number.isNaN(ms) ? date : amzDate(ms);
}

/** Credential, SignedHeaders and Signature of an Authorization header, in any order. */
function fieldsOf(authorization: string) {
  const fields = { Credential: "", SignedHeaders: "", Signature: "" };
  for (const part of authorization.slice(algorithm.length).split(",")) {
    const equals = part.indexOf("=");
    const name = part.slice(0, Math.max(equals, 0)).trim();
    if (name === "Credential" || name === "SignedHeaders" || name === "Signature") {
      fields[name] = part.slice(equals + 1).trim();
    }
  }
  return fields;
}

function fromHeader(authorization: string, headers: SignedRequest["headers"]): SignatureClaim | SignatureProblem {
  const { Credential: credential, SignedHeaders: signedHeaders, Signature: signature } = fieldsOf(authorization);
  const signedAt = headers["x-amz-date"] ?? dateHeader(headers);
  if (!credential || !signedHeaders || !signature || signedAt === undefined) {
    const missing = [
      ...(credential ? [] : ["Authorization header requires 'Credential' parameter."]),
      ...(signature ? [] : ["Authorization header requires 'Signature' parameter."]),
      ...(signedHeaders ? [] : ["Authorization header requires 'SignedHeaders' parameter."]),
      ...(signedAt === undefined
        ? ["Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."]
        : []),
    ];
    return malformed(`${missing.join(" ")} Authorization=${algorithm}`);
  }
  return claimOf({
    isPresigned: false,
    credential,
    signedHeaders,
    signature,
    signedAt,
    expiresSeconds: undefined,
    sessionToken: headers["x-amz-security-token"],
    declaredPayload: headers["x-amz-content-sha256"],
  });
}

/** Undefined for text that is not percent-encoded UTF-8. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", "%20"));
  } catch {
    return undefined;
  }
}

/** The first value of each parameter. */
function queryValues(rawQuery: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const part of rawQuery.split("&")) {
    const equals = part.indexOf("=");
    const name = decoded(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? "" : decoded(part.slice(equals + 1));
    if (name !== undefined && value !== undefined && !values.has(name)) values.set(name, value);
  }
  return values;
}

function expiryProblem(expires: string | undefined): string | undefined {
  if (expires === undefined) return undefined;
  if (!/^\d+$/.test(expires)) return "X-Amz-Expires should be a number";
  return Number(expires) > maxExpiresSeconds
    ? "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"
    : undefined;
}

function fromQuery({ rawQuery, headers }: SignedRequest): SignatureClaim | SignatureProblem {
  const values = queryValues(rawQuery);
  const credential = values.get("X-Amz-Credential");
  const signedHeaders = values.get("X-Amz-SignedHeaders")?.toLowerCase();
  const signature = values.get("X-Amz-Signature");
  const signedAt = values.get("X-Amz-Date");
  const isOurs = values.get("X-Amz-Algorithm") === algorithm;
  if (!isOurs || !credential || !signedHeaders || !signature || !signedAt) {
    return malformed(
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
      true,
    );
  }
  const expires = values.get("X-Amz-Expires");
  const problem = expiryProblem(expires);
  if (problem !== undefined) return malformed(problem, true);
  const isHashSigned = signedHeaders.split(";").includes("x-amz-content-sha256");
  const hashHeader = isHashSigned ? headers["x-amz-content-sha256"] : undefined;
  return claimOf({
    isPresigned: true,
    credential,
    signedHeaders,
    signature,
    signedAt,
    expiresSeconds: expires === undefined ? defaultExpiresSeconds : Number(expires),
    sessionToken: values.get("X-Amz-Security-Token"),
    declaredPayload: values.get("X-Amz-Content-Sha256") ?? hashHeader,
  });
}

/** Reads the claim; the caller then looks the key up and calls `verifySignature`. */
export function readSignature(request: SignedRequest): SignatureClaim | SignatureProblem {
  const { authorization } = request.headers;
  if (authorization?.startsWith(algorithm)) return fromHeader(authorization, request.headers);
  if (/(?:^|&)X-Amz-(?:Signature|Credential|Algorithm)=/.test(request.rawQuery)) return fromQuery(request);
  if (!authorization) return { kind: "unsigned" };
  return malformed(`Unsupported Authorization Type: ${(/^\S{1,40}/.exec(authorization) ?? [""])[0]}`);
}
