// Signatures of the chunks and of the trailer of an aws-chunked body: each is made over the one before it.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and …/sigv4-streaming-trailers.html
import { hash } from "node:crypto";
import { AwsError } from "../lib/aws-error.ts";
import type { ChunkVerifier } from "./aws-chunked.ts";
import { isSameText, type VerifiedSignature } from "./signature-v4.ts";

const emptyHash = hash("sha256", "", "hex");

/** Continues from the signature of the request's headers (the seed). Throws SignatureDoesNotMatch. */
export function chunkSignatures({ claim, key, scope }: VerifiedSignature): ChunkVerifier {
  let previous = claim.signature;
  const check = (signature: string, kind: string, rest: string): void => {
    const text = `AWS4-HMAC-SHA256-${kind}\n${claim.signedAt}\n${scope}\n${previous}\n${rest}`;
    previous = key.sign(text);
    if (!isSameText(previous, signature)) throw chunkMismatch(claim.accessKeyId, text, signature);
  };
  return {
    chunk: (signature, sha256) => check(signature, "PAYLOAD", `${emptyHash}\n${sha256}`),
    trailer: (signature, sha256) => check(signature, "TRAILER", sha256),
  };
}

const chunkMismatch = (accessKeyId: string, stringToSign: string, signature: string): AwsError =>
  new AwsError(
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    {
      httpStatus: 403,
      fields: { AWSAccessKeyId: accessKeyId, StringToSign: stringToSign, SignatureProvided: signature },
    },
  );
