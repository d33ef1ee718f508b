// Texts that clients match: ACK and terraform look for "Could not find endpoint configuration".
import { validationError, type AwsError } from "../../../lib/aws-error.ts";

export const endpointConfigNotFound = (arn: string): AwsError =>
  validationError(`Could not find endpoint configuration "${arn}".`);

export const endpointConfigExists = (arn: string): AwsError =>
  validationError(`Cannot create already existing endpoint configuration "${arn}".`);
