// Verifies Signature Version 4, in the Authorization header and in the query (presigned). Pure functions on node:crypto.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, S3's differences:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
import { hash, timingSafeEqual } from "node:crypto";
import { canonicalRequest, type SignedRequest } from "./signature-canonical.ts";
import { algorithm, malformed, type SignatureClaim, type SignatureProblem } from "./signature-claim.ts";
import type { HmacKey, SigningKeys } from "./signing-keys.ts";

export { amzDate, readSignature, type SignatureClaim, type SignatureProblem } from "./signature-claim.ts";
export type { SignedRequest } from "./signature-canonical.ts";

/** A verified signature: what the chunks of a streamed body continue from. */
export interface VerifiedSignature {
  readonly kind: "verified";
  readonly claim: SignatureClaim;
  readonly key: HmacKey;
  readonly scope: string;
}

const maxSkewMs = 15 * 60_000;
const unsignedPayload = "UNSIGNED-PAYLOAD";
const hexHash = /^[0-9a-f]{64}$/;

/** True where x-amz-content-sha256 is a hash of the whole body. */
export const isBodyHash = (declaredPayload: string | undefined): declaredPayload is string =>
  declaredPayload !== undefined && hexHash.test(declaredPayload);

function timeProblem(claim: SignatureClaim, nowMs: number): SignatureProblem | undefined {
  const { signedAtMs, signedAt, expiresSeconds } = claim;
  if (signedAtMs > nowMs + maxSkewMs) return { kind: "not-yet-current", signedAt, nowMs };
  if (expiresSeconds === undefined) {
    return signedAtMs < nowMs - maxSkewMs ? { kind: "too-old", signedAt, nowMs } : undefined;
  }
  const expiresAtMs = signedAtMs + expiresSeconds * 1_000;
  return nowMs > expiresAtMs ? { kind: "presigned-expired", expiresAtMs, expiresSeconds, nowMs } : undefined;
}

/** Every x-amz-* header must be covered: somebody in between could add one otherwise. */
function headersProblem(
  { headers }: SignedRequest,
  { signedHeaders, isPresigned }: SignatureClaim,
): SignatureProblem | undefined {
  let names: string[] | undefined;
  for (const name in headers) {
    if (!name.startsWith("x-amz-") || signedHeaders.includes(name)) continue;
    // Not believed then: the canonical request says UNSIGNED-PAYLOAD.
    if (isPresigned && name === "x-amz-content-sha256") continue;
    (names ??= []).push(name);
  }
  return names ? { kind: "headers-not-signed", names } : undefined;
}

export interface Verification {
  readonly request: SignedRequest;
  readonly claim: SignatureClaim;
  readonly secretAccessKey: string;
  readonly keys: SigningKeys;
  readonly nowMs: number;
  /** The whole body where it was read before verifying; undefined for bodies that stream. */
  readonly body: Uint8Array | undefined;
}

/** The hash in the canonical request, or why the body contradicts it. */
function payloadHash({ claim, body }: Verification): string | SignatureProblem {
  const { declaredPayload: declared, service, isPresigned } = claim;
  if (service === "s3") {
    if (declared === undefined) {
      return isPresigned
        ? unsignedPayload
        : malformed("Missing required header for this request: x-amz-content-sha256");
    }
    if (!isBodyHash(declared) || body === undefined) return declared;
  }
  const computed = hash("sha256", body ?? new Uint8Array(), "hex");
  return declared !== undefined && declared !== computed ? { kind: "body-mismatch", declared, computed } : computed;
}

/** Checks time, header list, body (where given) and signature. Never throws. */
export function verifySignature(verification: Verification): VerifiedSignature | SignatureProblem {
  const { request, claim, secretAccessKey, keys, nowMs } = verification;
  const early = timeProblem(claim, nowMs) ?? headersProblem(request, claim);
  if (early) return early;
  const payload = payloadHash(verification);
  if (typeof payload !== "string") return payload;
  const isS3 = claim.service === "s3";
  const canonical = canonicalRequest(request, { isS3, signedHeaders: claim.signedHeaders, payloadHash: payload });
  const scope = `${claim.date}/${claim.region}/${claim.service}/aws4_request`;
  const stringToSign = `${algorithm}\n${claim.signedAt}\n${scope}\n${hash("sha256", canonical, "hex")}`;
  const key = keys.keyFor(secretAccessKey, claim);
  if (!isSameText(key.sign(stringToSign), claim.signature)) {
    return { kind: "mismatch", claim, stringToSign, canonical };
  }
  return { kind: "verified", claim, key, scope };
}

/** In constant time for texts of one length. */
export function isSameText(expected: string, given: string): boolean {
  const a = Buffer.from(expected, "latin1");
  const b = Buffer.from(given, "latin1");
  return a.length === b.length && timingSafeEqual(a, b);
}
