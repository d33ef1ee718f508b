// What a caller is told when the server, not the caller, is at fault: never the details, except where an operator must act.
import { AwsError } from "../lib/aws-error.ts";
import type { Protocol } from "../protocols/index.ts";

/** SQLite's primary result codes, as node:sqlite gives them: https://www.sqlite.org/rescode.html */
const sqliteFull = 13;
const sqliteReadOnly = 8;

/** The database's server is not there, or has no room for one more: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const databaseAway: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "57P01",
  "57P02",
  "57P03",
  "53300",
  "25P03",
  "08006",
]);

/** What pg says without a code. */
const poolProblem = /^(Connection terminated|timeout exceeded when trying to connect)/;

function codesOf(error: unknown): { readonly code?: unknown; readonly errcode?: unknown } {
  return typeof error === "object" && error !== null ? error : {};
}

function operatorText(error: unknown): string | undefined {
  const { code, errcode } = codesOf(error);
  const primary = typeof errcode === "number" ? errcode & 0xff : undefined;
  if (code === "ENOSPC" || code === "EDQUOT" || primary === sqliteFull) return "The server's disk is full.";
  if (code === "EROFS" || primary === sqliteReadOnly) return "The server's data folder cannot be written.";
  if (databaseAway.has(code) || (error instanceof Error && poolProblem.test(error.message)))
    return "The server's database does not answer.";
  return undefined;
}

/** S3 calls it InternalError: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export function faultError(error: unknown, protocol: Protocol["name"]): AwsError {
  const text = operatorText(error);
  if (text !== undefined) return new AwsError("ServiceUnavailable", text, { httpStatus: 503 });
  if (protocol === "rest-xml") {
    return new AwsError("InternalError", "We encountered an internal error. Please try again.", { httpStatus: 500 });
  }
  return new AwsError(
    "InternalFailure",
    "The request processing has failed because of an unknown error, exception or failure.",
    { httpStatus: 500 },
  );
}
