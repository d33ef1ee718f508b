// Errors of SelectObjectContent: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#SelectObjectContentErrorCodeList
import { AwsError } from "../../../lib/aws-error.ts";

export const selectError = (code: string, message: string): AwsError =>
  new AwsError(code, message, { httpStatus: 400 });

export const unexpectedToken = (found: string): AwsError =>
  selectError("ParseUnexpectedToken", `The SQL expression contains an unexpected token: ${found}`);

export const overMaxRecord = (): AwsError =>
  selectError(
    "OverMaxRecordSize",
    "The length of a record in the input or result is greater than maxCharsPerRecord of 1 MB.",
  );
