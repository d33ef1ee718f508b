// Signature Version 2 as S3 still takes it, in the Authorization header and in the query: boto3 and the aws CLI presign with it
// unless told otherwise. https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
import { createHmac } from "node:crypto";
import type { SignedRequest } from "./signature-canonical.ts";
import { malformed, type SignatureClaim, type SignatureProblem } from "./signature-claim.ts";
import { isSameText, type VerifiedSignature } from "./signature-v4.ts";
import { HmacKey } from "./signing-keys.ts";
import { parseQuery } from "./wire-text.ts";

export interface SignedRequestV2 extends SignedRequest {
  /** The bucket that the Host header names: part of what is signed. */
  readonly bucket?: string | undefined;
}

/** Query parameters that are signed: S3's list, as botocore has it (HmacV1Auth.QSAOfInterest), and what AWS added since. */
const signedParameters: ReadonlySet<string> = new Set(
  (
    "accelerate acl analytics cors defaultObjectAcl delete inventory lifecycle location logging metrics notification " +
    "object-lock partNumber policy replication requestPayment response-cache-control response-content-disposition " +
    "response-content-encoding response-content-language response-content-type response-expires restore select " +
    "select-type storageClass tagging torrent uploadId uploads versionId versioning versions website"
  ).split(" "),
);

const authParameters: ReadonlySet<string> = new Set(["AWSAccessKeyId", "Signature", "Expires"]);
const maxSkewMs = 15 * 60_000;
const wrongParameters = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters";

type Pairs = readonly (readonly [string, string])[];

const pairsOf = ({ rawQuery }: SignedRequest): Pairs => parseQuery(rawQuery) ?? [];
const valueOf = (pairs: Pairs, name: string): string | undefined => pairs.find(([given]) => given === name)?.[1];

const commonClaim = {
  kind: "claim",
  date: "",
  region: "us-east-1",
  service: "s3",
  signedHeaders: [],
  signedAt: "",
  signedAtMs: 0,
} as const;

/** Only one form of body can come without a signature of version 4 over it. */
const unsignedChunks = ({ headers }: SignedRequest): string | undefined =>
  headers["x-amz-content-sha256"] === "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    ? "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    : undefined;

function fromHeader(request: SignedRequest, authorization: string): SignatureClaim | SignatureProblem {
  const [, accessKeyId, signature] = /^AWS ([^:\s]+):(\S+)$/.exec(authorization) ?? [];
  if (accessKeyId === undefined || signature === undefined) {
    return malformed("AWS authentication requires a valid Authorization header of form 'AWS AccessKeyId:signature'");
  }
  const { headers } = request;
  const date = headers["x-amz-date"] ?? headers["date"];
  const signedAtMs = Date.parse(date ?? "");
  if (date === undefined || Number.isNaN(signedAtMs)) {
    return malformed("AWS authentication requires a valid Date or x-amz-date header");
  }
  return {
    ...commonClaim,
    isPresigned: false,
    version: 2,
    accessKeyId,
    signature,
    signedAt: date,
    signedAtMs,
    expiresSeconds: undefined,
    sessionToken: headers["x-amz-security-token"],
    declaredPayload: unsignedChunks(request),
  };
}

function fromQuery(request: SignedRequest): SignatureClaim | SignatureProblem {
  const pairs = pairsOf(request);
  const [accessKeyId, signature, expires] = ["AWSAccessKeyId", "Signature", "Expires"].map((name) =>
    valueOf(pairs, name),
  );
  if (!accessKeyId || !signature || !expires) return malformed(wrongParameters, true);
  if (!/^\d{1,12}$/.test(expires)) return malformed(`Invalid date (should be seconds since epoch): ${expires}`, true);
  return {
    ...commonClaim,
    isPresigned: true,
    version: 2,
    accessKeyId,
    signature,
    expiresSeconds: Number(expires),
    sessionToken: valueOf(pairs, "x-amz-security-token") ?? request.headers["x-amz-security-token"],
    declaredPayload: unsignedChunks(request),
  };
}

/** Undefined where the request claims no signature of version 2. */
export function readSignatureV2(request: SignedRequest): SignatureClaim | SignatureProblem | undefined {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    return authorization.startsWith("AWS ") ? fromHeader(request, authorization) : undefined;
  }
  return /(?:^|&)AWSAccessKeyId=/.test(request.rawQuery) ? fromQuery(request) : undefined;
}

/** x-amz-* headers, and parameters of these names, which stand for headers that a presigning client could not send. */
function amzLines({ headers }: SignedRequest, pairs: Pairs): string {
  const values = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (name.toLowerCase().startsWith("x-amz-")) values.set(name.toLowerCase(), value);
  }
  for (const name in headers) if (name.startsWith("x-amz-")) values.set(name, headers[name] ?? "");
  return [...values]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value.trim()}\n`)
    .join("");
}

/**
 * A parameter without value that S3's list does not know chooses an operation all the same; whoever got a presigned URL must not
 * be able to add it.
 */
const isSigned = (name: string, value: string, isPresigned: boolean): boolean =>
  signedParameters.has(name) || (isPresigned && value === "" && name !== "" && !authParameters.has(name));

function resource({ rawPath, bucket }: SignedRequestV2, pairs: Pairs, isPresigned: boolean): string {
  const chosen = pairs
    .filter(([name, value]) => isSigned(name, value, isPresigned))
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => (value === "" ? name : `${name}=${value}`));
  const path = bucket === undefined ? rawPath : `/${bucket}${rawPath}`;
  return chosen.length === 0 ? path : `${path}?${chosen.join("&")}`;
}

function stringToSign(request: SignedRequestV2, claim: SignatureClaim): string {
  const pairs = pairsOf(request);
  const { headers, method } = request;
  const { isPresigned } = claim;
  const header = (name: string): string =>
    headers[name] ?? (isPresigned ? (pairs.find(([given]) => given.toLowerCase() === name)?.[1] ?? "") : "");
  // Where x-amz-date is sent it stands among the x-amz-* lines.
  const date = isPresigned ? String(claim.expiresSeconds) : headers["x-amz-date"] ? "" : (headers["date"] ?? "");
  const start = `${method}\n${header("content-md5").trim()}\n${header("content-type").trim()}\n${date}\n`;
  return `${start}${amzLines(request, pairs)}${resource(request, pairs, isPresigned)}`;
}

function timeProblem({ isPresigned, ...claim }: SignatureClaim, nowMs: number): SignatureProblem | undefined {
  if (isPresigned) {
    const expiresAtMs = (claim.expiresSeconds ?? 0) * 1_000;
    return nowMs > expiresAtMs
      ? { kind: "presigned-expired", expiresAtMs, expiresSeconds: undefined, nowMs }
      : undefined;
  }
  const { signedAt, signedAtMs } = claim;
  if (signedAtMs > nowMs + maxSkewMs) return { kind: "not-yet-current", signedAt, nowMs };
  return signedAtMs < nowMs - maxSkewMs ? { kind: "too-old", signedAt, nowMs } : undefined;
}

/** HMAC-SHA-1 in base64, as version 2 signs everything. */
export const signV2 = (secretAccessKey: string, text: string): string =>
  createHmac("sha1", secretAccessKey).update(text, "utf8").digest("base64");

/** Chunks are never signed under version 2, so nobody asks this key. */
const noChunkKey = new HmacKey(new Uint8Array());

export interface VerificationV2 {
  readonly request: SignedRequestV2;
  readonly claim: SignatureClaim;
  readonly secretAccessKey: string;
  readonly nowMs: number;
}

const asFolder = ({ method, rawPath, rawQuery, headers }: SignedRequestV2): SignedRequestV2 => ({
  method,
  rawPath: `${rawPath}/`,
  rawQuery,
  headers,
});

/** Checks time and signature; version 2 says nothing of the body but its Content-MD5. Never throws. */
export function verifySignatureV2(verification: VerificationV2): VerifiedSignature | SignatureProblem {
  const { request, claim, secretAccessKey, nowMs } = verification;
  const early = timeProblem(claim, nowMs);
  if (early) return early;
  const text = stringToSign(request, claim);
  const isSignature = (of: string): boolean => isSameText(signV2(secretAccessKey, of), claim.signature);
  // boto3 signs a bucket as /bucket/ and sends /bucket.
  const isBucket = request.bucket === undefined && /^\/[^/]+$/.test(request.rawPath);
  const isVerified = isSignature(text) || (isBucket && isSignature(stringToSign(asFolder(request), claim)));
  if (!isVerified) return { kind: "mismatch", claim, stringToSign: text, canonical: undefined };
  return { kind: "verified", claim, key: noChunkKey, scope: "" };
}
