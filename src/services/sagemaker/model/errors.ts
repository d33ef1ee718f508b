// Texts that clients match: ACK and terraform look for "Could not find model"; the others are quoted in the SDKs' issue trackers.
import { validationError, type AwsError } from "../../../lib/aws-error.ts";

export const modelNotFound = (arn: string): AwsError => validationError(`Could not find model "${arn}".`);

export const modelExists = (arn: string): AwsError => validationError(`Cannot create already existing model "${arn}".`);

/** SageMaker's text, which also ends up as the FailureReason of endpoints. */
export const modelDataDenied = (uri: string, roleArn: string, region: string): string =>
  `Could not access model data at ${uri}. Please ensure that the role "${roleArn}" exists and that its trust relationship policy allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com". Also ensure that the role has "s3:GetObject" permissions and that the object is located in ${region}.`;

export const modelDataNotFound = (uri: string): AwsError => validationError(`Could not find model data at ${uri}.`);
