// What CloudWatch says to callers, in its own words.
import { AwsError } from "../../lib/aws-error.ts";

export const invalidValue = (message: string): AwsError => new AwsError("InvalidParameterValueException", message);
export const invalidCombination = (message: string): AwsError =>
  new AwsError("InvalidParameterCombinationException", message);
export const missingParameter = (message: string): AwsError =>
  new AwsError("MissingRequiredParameterException", message);
/** GetMetricData's own. */
export const validationFailure = (message: string): AwsError => new AwsError("ValidationError", message);
