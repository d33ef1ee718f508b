// Signatures of the chunks and of the trailer of an aws-chunked body: each is made over the one before it.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and …/sigv4-streaming-trailers.html
import { createHmac, hash } from "node:crypto";
import { isSameText, type VerifiedSignature } from "./signature-v4.ts";

const emptyHash = hash("sha256", "", "hex");

export interface ChunkSignatures {
  /** True if `signature` is the next one, over a chunk whose SHA-256 is `chunkHash` (hex). Call once per chunk, in order. */
  isNextChunk(signature: string, chunkHash: string): boolean;
  /** The same for the trailer: `trailer` is its lines "name:value\n", without the signature's own. */
  isTrailer(signature: string, trailer: string): boolean;
}

/** Continues from the signature of the request's headers (the seed). */
export function chunkSignatures({
  claim,
  key,
  scope,
}: Pick<VerifiedSignature, "claim" | "key" | "scope">): ChunkSignatures {
  let previous = claim.signature;
  const isNext = (signature: string, kind: string, rest: string): boolean => {
    const text = `AWS4-HMAC-SHA256-${kind}\n${claim.signedAt}\n${scope}\n${previous}\n${rest}`;
    const expected = createHmac("sha256", key).update(text).digest("hex");
    previous = expected;
    return isSameText(expected, signature);
  };
  return {
    isNextChunk: (signature, chunkHash) => isNext(signature, "PAYLOAD", `${emptyHash}\n${chunkHash}`),
    isTrailer: (signature, trailer) => isNext(signature, "TRAILER", hash("sha256", trailer, "hex")),
  };
}
