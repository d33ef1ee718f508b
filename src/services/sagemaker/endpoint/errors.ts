// Texts that clients match: ACK and terraform look for "Could not find endpoint"; the others are SageMaker's answers as quoted in its SDKs' issue trackers.
import { validationError, type AwsError } from "../../../lib/aws-error.ts";

export const endpointNotFound = (arn: string): AwsError => validationError(`Could not find endpoint "${arn}".`);

export const endpointExists = (arn: string): AwsError =>
  validationError(`Cannot create already existing endpoint "${arn}".`);

export const endpointBusy = (arn: string): AwsError => validationError(`Cannot update in-progress endpoint "${arn}".`);

export const endpointFailed = (arn: string): AwsError =>
  validationError(`Cannot update failed endpoint "${arn}": the only thing to do with it is to delete it.`);

export const unknownVariant = (name: string): AwsError => validationError(`Could not find variant "${name}".`);

/** FailureReason: a container that crashed, or answered no /ping in time. */
export const pingFailed = (variant: string): string =>
  `The primary container for production variant ${variant} did not pass the ping health check. Please check CloudWatch logs for this endpoint.`;

/** FailureReason. */
export const insufficientCapacity = (wanted: number, limit: number): string =>
  `Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. Please retry using a different ML instance type or after some time. (${wanted} instances wanted; endpoints of this Salvia may hold ${limit} together)`;

/** FailureReason. */
export const modelDataMissing = (uri: string): string =>
  `Failed to download model data for container "container_1" from URL: "${uri}". Please ensure that there is an object located at the URL and that the role passed to CreateModel has permissions to download the object.`;
