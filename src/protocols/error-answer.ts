// What every protocol asks about an error before it writes one: which shape of the model it is, its names, its status.
import type { AwsError } from "../lib/aws-error.ts";
import type { ErrorShape, ServiceModel } from "../models/index.ts";
import type { Protocol } from "./protocol.ts";

export interface ErrorAnswer {
  /** The shape's name (json, cbor); the code itself where the model lacks it. */
  readonly name: string;
  /** The code in query and XML answers, which may differ from the shape's name. */
  readonly code: string;
  readonly status: number;
  /** Sender: the caller did something wrong; Receiver: the service did. */
  readonly blame: "Sender" | "Receiver";
  readonly shape: ErrorShape | undefined;
}

// Errors that any operation may answer and no model declares:
// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
const commonStatus: ReadonlyMap<string, number> = new Map([
  ["InternalFailure", 500],
  ["InternalServerError", 500],
  ["InternalError", 500],
  ["NotImplementedException", 501],
  ["NotImplemented", 501],
  ["ServiceUnavailable", 503],
  ["ServiceUnavailableException", 503],
  ["RequestEntityTooLarge", 413],
  ["RequestTimeout", 408],
]);

// Protocols with statuses of their own (REST, query) answer 403 where the JSON RPC protocols answer 400.
const refusals: ReadonlySet<string> = new Set([
  "AccessDenied",
  "AccessDeniedException",
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidClientTokenId",
  "InvalidSignatureException",
  "MissingAuthenticationToken",
  "MissingAuthenticationTokenException",
  "OptInRequired",
  "RequestExpired",
  "SignatureDoesNotMatch",
  "UnrecognizedClientException",
]);

/** Status from the model, else from the error itself, else the one that all services share, else 400. */
export function errorAnswer(
  service: ServiceModel | undefined,
  error: AwsError,
  protocol: Protocol["name"],
): ErrorAnswer {
  const shape = service?.errors.get(error.code);
  const isFault = shape?.isFault === true;
  const status = shape?.httpStatus ?? error.httpStatus ?? statusOf(error.code, protocol, isFault);
  const blame = isFault || status >= 500 ? "Receiver" : "Sender";
  const { name, code } = shape ?? { name: error.code, code: error.code };
  return { name, code, status, blame, shape };
}

function statusOf(code: string, protocol: Protocol["name"], isFault: boolean): number {
  const isRpc = protocol === "aws-json" || protocol === "rpc-v2-cbor";
  if (refusals.has(code)) return isRpc ? 400 : 403;
  if (code === "UnknownOperationException" && protocol !== "aws-json") return 404;
  return commonStatus.get(code) ?? (isFault ? 500 : 400);
}

/** The error's own members and its text, under the name that the model has for it, and always under `message` too. */
export function errorMembers(error: AwsError, shape: ErrorShape | undefined): Record<string, unknown> {
  const capital = shape?.members.has("Message") ? { Message: error.message } : {};
  return { ...error.fields, message: error.message, ...capital };
}
