// What AWS says when it does not accept a signature, in each protocol's own codes and words.
// JSON: https://docs.aws.amazon.com/awssupport/latest/APIReference/CommonErrors.html, S3: …/AmazonS3/latest/API/ErrorResponses.html
import { AwsError, type AwsErrorOptions } from "../lib/aws-error.ts";
import type { Protocol } from "./protocol.ts";
import { amzDate, type SignatureProblem } from "./signature-v4.ts";

type Family = "s3" | "query" | "json";

/** The protocols other than query and S3's share their codes. */
const familyOf = (protocol: Protocol["name"]): Family =>
  protocol === "rest-xml" ? "s3" : protocol === "query" ? "query" : "json";

interface Words {
  readonly code: string;
  readonly message: string;
  readonly status?: number;
  readonly fields?: AwsErrorOptions["fields"];
}

type WordsByFamily = Readonly<Record<Family, Words>>;

const invalidToken = "The security token included in the request is invalid.";
const expiredToken = "The security token included in the request is expired";
const mismatch =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";

const isoSeconds = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}/, "");

const bytesOf = (text: string): string =>
  Buffer.from(text, "utf8")
    .toString("hex")
    .replace(/..(?=.)/g, "$& ");

/** A problem with time: S3 has a code of its own, the others call it a bad signature. */
function timeWords(signedAt: string, nowMs: number, message: string): WordsByFamily {
  return {
    s3: {
      code: "RequestTimeTooSkewed",
      message: "The difference between the request time and the current time is too large.",
      status: 403,
      fields: { RequestTime: signedAt, ServerTime: isoSeconds(nowMs), MaxAllowedSkewMilliseconds: 900_000 },
    },
    query: { code: "SignatureDoesNotMatch", message, status: 403 },
    json: { code: "InvalidSignatureException", message },
  };
}

const skewWords = (problem: SignatureProblem & { kind: "too-old" | "not-yet-current" }): WordsByFamily => {
  const { signedAt, nowMs, kind } = problem;
  const allowedMs = 15 * 60_000;
  const message =
    kind === "too-old"
      ? `Signature expired: ${signedAt} is now earlier than ${amzDate(nowMs - allowedMs)} (${amzDate(nowMs)} - 15 min.)`
      : `Signature not yet current: ${signedAt} is still later than ${amzDate(nowMs + allowedMs)} (${amzDate(nowMs)} + 15 min.)`;
  return timeWords(signedAt, nowMs, message);
};

function expiredWords(problem: SignatureProblem & { kind: "presigned-expired" }): WordsByFamily {
  const { expiresAtMs, expiresSeconds, nowMs } = problem;
  const message = `Signature expired: ${amzDate(expiresAtMs)} is now earlier than ${amzDate(nowMs)}`;
  return {
    s3: {
      code: "AccessDenied",
      message: "Request has expired",
      status: 403,
      fields: {
        ...(expiresSeconds !== undefined && { "X-Amz-Expires": expiresSeconds }),
        Expires: isoSeconds(expiresAtMs),
        ServerTime: isoSeconds(nowMs),
      },
    },
    query: { code: "SignatureDoesNotMatch", message, status: 403 },
    json: { code: "InvalidSignatureException", message },
  };
}

function malformedWords(problem: SignatureProblem & { kind: "malformed" }): WordsByFamily {
  const { message, isPresigned } = problem;
  const isMissingHash = message.startsWith("Missing required header");
  const code = isMissingHash
    ? "InvalidRequest"
    : isPresigned
      ? "AuthorizationQueryParametersError"
      : "AuthorizationHeaderMalformed";
  return {
    s3: { code, message, status: 400 },
    query: { code: "IncompleteSignature", message, status: 400 },
    json: { code: "IncompleteSignatureException", message },
  };
}

const scopeWords = (message: string): WordsByFamily => ({
  s3: { code: "AuthorizationHeaderMalformed", message, status: 400 },
  query: { code: "SignatureDoesNotMatch", message, status: 403 },
  json: { code: "InvalidSignatureException", message },
});

function mismatchWords(problem: SignatureProblem & { kind: "mismatch" }): WordsByFamily {
  const { claim, stringToSign, canonical } = problem;
  return {
    s3: {
      code: "SignatureDoesNotMatch",
      message:
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      status: 403,
      fields: {
        AWSAccessKeyId: claim.accessKeyId,
        StringToSign: stringToSign,
        SignatureProvided: claim.signature,
        StringToSignBytes: bytesOf(stringToSign),
        ...(canonical !== undefined && {
          CanonicalRequest: canonical,
          CanonicalRequestBytes: bytesOf(canonical),
        }),
      },
    },
    query: { code: "SignatureDoesNotMatch", message: mismatch, status: 403 },
    json: { code: "InvalidSignatureException", message: mismatch },
  };
}

const unsignedHeaderWords = (names: readonly string[]): WordsByFamily => {
  const message = `There were headers present in the request which were not signed: ${names.join(", ")}`;
  return {
    s3: {
      code: "AccessDenied",
      message: "There were headers present in the request which were not signed",
      status: 403,
      fields: { HeadersNotSigned: names.join(", ") },
    },
    query: { code: "SignatureDoesNotMatch", message, status: 403 },
    json: { code: "InvalidSignatureException", message },
  };
};

const bodyWords = (declared: string, computed: string): WordsByFamily => ({
  s3: {
    code: "XAmzContentSHA256Mismatch",
    message: "The provided 'x-amz-content-sha256' header does not match what was computed.",
    status: 400,
    fields: { ClientComputedContentSHA256: declared, S3ComputedContentSHA256: computed },
  },
  query: { code: "SignatureDoesNotMatch", message: mismatch, status: 403 },
  json: { code: "InvalidSignatureException", message: mismatch },
});

const unsigned: WordsByFamily = {
  s3: { code: "AccessDenied", message: "Access Denied", status: 403 },
  query: { code: "MissingAuthenticationToken", message: "Request is missing Authentication Token", status: 403 },
  json: { code: "MissingAuthenticationTokenException", message: "Missing Authentication Token" },
};

const unknownKey = (accessKeyId: string): WordsByFamily => ({
  s3: {
    code: "InvalidAccessKeyId",
    message: "The AWS Access Key Id you provided does not exist in our records.",
    status: 403,
    fields: { AWSAccessKeyId: accessKeyId },
  },
  query: { code: "InvalidClientTokenId", message: invalidToken, status: 403 },
  json: { code: "UnrecognizedClientException", message: invalidToken },
});

const badToken: WordsByFamily = {
  s3: { code: "InvalidToken", message: "The provided token is malformed or otherwise invalid.", status: 400 },
  query: { code: "InvalidClientTokenId", message: invalidToken, status: 403 },
  json: { code: "UnrecognizedClientException", message: invalidToken },
};

const expiredTokenWords: WordsByFamily = {
  s3: { code: "ExpiredToken", message: "The provided token has expired.", status: 400 },
  query: { code: "ExpiredToken", message: expiredToken, status: 403 },
  json: { code: "ExpiredTokenException", message: expiredToken },
};

const fixedWords = { unsigned, "bad-token": badToken, "expired-token": expiredTokenWords } as const;

type FixedProblem = SignatureProblem & { readonly kind: keyof typeof fixedWords };

const isFixed = (problem: SignatureProblem): problem is FixedProblem => problem.kind in fixedWords;

function wordsOf(problem: SignatureProblem): WordsByFamily {
  if (isFixed(problem)) return fixedWords[problem.kind];
  switch (problem.kind) {
    case "malformed":
      return malformedWords(problem);
    case "too-old":
    case "not-yet-current":
      return skewWords(problem);
    case "presigned-expired":
      return expiredWords(problem);
    case "wrong-scope":
      return scopeWords(problem.message);
    case "headers-not-signed":
      return unsignedHeaderWords(problem.names);
    case "unknown-key":
      return unknownKey(problem.accessKeyId);
    case "body-mismatch":
      return bodyWords(problem.declared, problem.computed);
    case "mismatch":
      return mismatchWords(problem);
  }
}

/** The error that the caller sees; `protocol` is the one that will render it. */
export function signatureError(problem: SignatureProblem, protocol: Protocol["name"]): AwsError {
  const { code, message, status, fields } = wordsOf(problem)[familyOf(protocol)];
  return new AwsError(code, message, {
    ...(status === undefined ? {} : { httpStatus: status }),
    ...(fields === undefined ? {} : { fields }),
  });
}
