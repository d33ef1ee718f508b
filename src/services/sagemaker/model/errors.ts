// Texts that clients match: ACK and terraform look for "Could not find model"; the others are quoted in the SDKs' issue trackers.
import { validationError, type AwsError } from "../../../lib/aws-error.ts";

export const modelNotFound = (arn: string): AwsError => validationError(`Could not find model "${arn}".`);

export const modelExists = (arn: string): AwsError => validationError(`Cannot create already existing model "${arn}".`);

export const modelDataNotFound = (uri: string): AwsError => validationError(`Could not find model data at ${uri}.`);
