// S3's bodies, by what x-amz-content-sha256 declares: a hash that the end of the stream must meet, nothing, or aws-chunked
// frames with signatures and trailers. https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
import { createHash, hash } from "node:crypto";
import { Readable } from "node:stream";
import { AwsError } from "../lib/aws-error.ts";
import { decodeAwsChunked, type DecodedBody } from "../protocols/aws-chunked.ts";
import { chunkSignatures } from "../protocols/chunk-signatures.ts";
import { signatureError } from "../protocols/signature-errors.ts";
import { isBodyHash, type VerifiedSignature } from "../protocols/signature-v4.ts";
import type { HttpRequest } from "./http-request.ts";
import type { BodyCheck } from "./request-body.ts";

export interface OpenedBody {
  /** Fails at its end where the body is not what was signed: whoever stores it waits for the end. */
  readonly body: Readable;
  /** Of an aws-chunked body. */
  readonly trailers?: DecodedBody["trailers"];
}

const emptyHash = hash("sha256", "", "hex");

const hashMismatch = (declared: string, computed: string): AwsError =>
  signatureError({ kind: "body-mismatch", declared, computed }, "rest-xml");

function hashCheck(declared: string): BodyCheck {
  const running = createHash("sha256");
  return {
    update: (chunk) => void running.update(chunk),
    problemAtEnd: () => {
      const computed = running.digest("hex");
      return computed === declared ? undefined : hashMismatch(declared, computed);
    },
  };
}

const chunkedForms = new Map([
  ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", { isSigned: false }],
  ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", { isSigned: true }],
  ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", { isSigned: true }],
]);

function chunked(request: HttpRequest, verified: VerifiedSignature | undefined, isSigned: boolean): OpenedBody {
  const { headers } = request;
  if (isSigned && !verified) throw new AwsError("InvalidRequest", "Signed chunks belong to a signed request.");
  const decodedLength = headers["x-amz-decoded-content-length"];
  if (decodedLength === undefined || !/^\d{1,15}$/.test(decodedLength)) {
    throw new AwsError("MissingContentLength", "You must provide the Content-Length HTTP header.", { httpStatus: 411 });
  }
  const opened = decodeAwsChunked(request.streamBody(), {
    decodedBytes: Number(decodedLength),
    verifier: isSigned && verified ? chunkSignatures(verified) : undefined,
    trailerNames: (headers["x-amz-trailer"] ?? "")
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== ""),
  });
  opened.body.on("error", () => {});
  return opened;
}

/** Throws where the declaration itself cannot be right. Nothing is read before somebody reads the body. */
export function openS3Body(request: HttpRequest, verified: VerifiedSignature | undefined): OpenedBody {
  const declaredPayload =
    (verified ? verified.claim.declaredPayload : request.headers["x-amz-content-sha256"]) ?? "UNSIGNED-PAYLOAD";
  const form = chunkedForms.get(declaredPayload);
  if (form) return chunked(request, verified, form.isSigned);
  if (isBodyHash(declaredPayload)) {
    if (request.hasBody) return { body: request.streamBody(hashCheck(declaredPayload)) };
    if (declaredPayload !== emptyHash) throw hashMismatch(declaredPayload, emptyHash);
    return { body: Readable.from([]) };
  }
  if (declaredPayload === "UNSIGNED-PAYLOAD")
    return { body: request.hasBody ? request.streamBody() : Readable.from([]) };
  throw new AwsError(
    "InvalidArgument",
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
    { httpStatus: 400, fields: { ArgumentName: "x-amz-content-sha256", ArgumentValue: declaredPayload } },
  );
}
