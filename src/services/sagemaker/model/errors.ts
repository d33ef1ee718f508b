// Texts that clients match: ACK and terraform look for "Could not find model"; the others are quoted in the SDKs' issue trackers.
import { validationError, type AwsError } from "../../../lib/aws-error.ts";

export const modelNotFound = (arn: string): AwsError => validationError(`Could not find model "${arn}".`);

export const modelExists = (arn: string): AwsError => validationError(`Cannot create already existing model "${arn}".`);

/** SageMaker's text, which also ends up as the FailureReason of endpoints. */
export const modelDataDenied = (uri: string, roleArn: string, region: string): string =>
  `Could not access model data at ${uri}. Please ensure that the role "${roleArn}" exists and that its trust relationship policy allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com". Also ensure that the role has "s3:GetObject" permissions and that the object is located in ${region}.`;

/** SageMaker's text for an invocation whose model is not there, or not readable for the role. */
export const targetModelMissing = (bucket: string, key: string): string =>
  `Failed to download model data(bucket: ${bucket}, key: ${key}). Please ensure that there is an object located at the URL and that the role passed to CreateModel has permissions to download the model.`;

/** SageMaker's text; Salvia's own algorithms stand in for images without the label. */
export const notMultiModel = (image: string): AwsError =>
  validationError(
    `Your Ecr Image ${image} does not contain required com.amazonaws.sagemaker.capabilities.multi-models=true Docker label(s).`,
  );

export const multiModelUrlWrong = (uri: string | undefined): AwsError =>
  validationError(
    `The ModelDataUrl of a container with Mode MultiModel is the prefix of its models, s3://bucket/prefix/ with a slash at its end: ${uri ?? "it has none"}.`,
  );

export const modelDataNotFound = (uri: string): AwsError => validationError(`Could not find model data at ${uri}.`);
