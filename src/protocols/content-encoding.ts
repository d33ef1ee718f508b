// Clients may compress the bodies of some operations (CloudWatch's PutMetricData) on their own account:
// https://smithy.io/2.0/spec/behavior-traits.html#requestcompression-trait
import { gunzipSync } from "node:zlib";
import { AwsError } from "../lib/aws-error.ts";
import type { OperationModel } from "../models/index.ts";

/** No operation with compression takes more than 1 MB; what inflates further is a bomb. */
const maxInflatedBytes = 16 * 1024 * 1024;

/** The body itself, inflated where its content-encoding says so and the operation allows that. */
export function decodeContent(
  operation: OperationModel,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
): Uint8Array {
  const encoding = headers["content-encoding"];
  if (encoding === undefined || !operation.requestEncodings.includes(encoding)) return body;
  try {
    return gunzipSync(body, { maxOutputLength: maxInflatedBytes });
  } catch {
    throw new AwsError("SerializationException", `The request body is not valid ${encoding}.`, { httpStatus: 400 });
  }
}
