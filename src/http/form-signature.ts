// Who signed an upload form's policy, by version 2 or 4; the policy's text is what is signed, as it stands in the form.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
import { signatureError } from "../protocols/signature-errors.ts";
import { signV2 } from "../protocols/signature-v2.ts";
import {
  isSameText,
  type SignatureClaim,
  type SignatureProblem,
  type VerifiedSignature,
} from "../protocols/signature-v4.ts";
import { HmacKey, type SigningKeys } from "../protocols/signing-keys.ts";
import type { Caller } from "../services/service.ts";
import type { PipelineOptions } from "./exchange.ts";

type Fields = ReadonlyMap<string, string>;

const common = {
  kind: "claim",
  isPresigned: true,
  service: "s3",
  signedHeaders: [],
  signedAtMs: 0,
  expiresSeconds: undefined,
  declaredPayload: undefined,
} as const;

const incomplete: SignatureProblem = {
  kind: "malformed",
  isPresigned: true,
  message: "The form's signature fields are not complete.",
};

function claimV4(fields: Fields): SignatureClaim | SignatureProblem {
  const [accessKeyId, date, region, service, terminator] = (fields.get("x-amz-credential") ?? "").split("/");
  const isOurs = service === "s3" && terminator === "aws4_request";
  const signature = fields.get("x-amz-signature");
  const isComplete = isOurs && fields.get("x-amz-algorithm") === "AWS4-HMAC-SHA256";
  if (!isComplete || !accessKeyId || !date || !region || signature === undefined) return incomplete;
  const signedAt = fields.get("x-amz-date") ?? "";
  const sessionToken = fields.get("x-amz-security-token");
  return { ...common, accessKeyId, signature, date, region, signedAt, sessionToken };
}

/** The claim in the form's fields, or undefined for a form of nobody. */
export function formClaim(fields: Fields): SignatureClaim | SignatureProblem | undefined {
  if (fields.has("x-amz-credential") || fields.has("x-amz-signature")) return claimV4(fields);
  const accessKeyId = fields.get("awsaccesskeyid");
  const signature = fields.get("signature");
  if (accessKeyId === undefined && signature === undefined) return undefined;
  if (accessKeyId === undefined || signature === undefined) return incomplete;
  const sessionToken = fields.get("x-amz-security-token");
  return { ...common, version: 2, accessKeyId, signature, date: "", region: "us-east-1", signedAt: "", sessionToken };
}

const unusedKey = new HmacKey(new Uint8Array());

/** Throws what S3 says of a wrong key, token or signature. */
export async function proveForm(
  claim: SignatureClaim,
  policy: string,
  { identity }: Pick<PipelineOptions, "identity">,
  keys: SigningKeys,
): Promise<{ readonly caller: Caller; readonly verified: VerifiedSignature }> {
  const { accessKeyId, sessionToken } = claim;
  const resolution = await identity.resolve(accessKeyId, sessionToken);
  if ("problem" in resolution) throw signatureError({ kind: resolution.problem, accessKeyId }, "rest-xml");
  const { caller, secretAccessKey } = resolution;
  const key = claim.version === 2 ? unusedKey : keys.keyFor(secretAccessKey, claim);
  const expected = claim.version === 2 ? signV2(secretAccessKey, policy) : key.sign(policy);
  if (!isSameText(expected, claim.signature)) {
    throw signatureError({ kind: "mismatch", claim, stringToSign: policy, canonical: undefined }, "rest-xml");
  }
  return { caller, verified: { kind: "verified", claim, key, scope: "" } };
}
