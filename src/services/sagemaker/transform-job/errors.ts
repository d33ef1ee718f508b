// Texts that clients match.
import { AwsError, validationError } from "../../../lib/aws-error.ts";

export const transformJobNotFound = (arn: string): AwsError =>
  validationError(`Could not find requested job with arn: ${arn}`);

export const transformJobExists = (arn: string): AwsError =>
  new AwsError(
    "ResourceInUse",
    `Job name must be unique within an AWS account and region, and a job with this name already exists (${arn})`,
  );

export const cannotStop = (state: string): AwsError =>
  validationError(`The request was rejected because the transform job is in status ${state}.`);

export const tooManyInstances = (instanceType: string, limit: number, wanted: number): AwsError =>
  new AwsError(
    "ResourceLimitExceeded",
    `The account-level service limit '${instanceType} for transform job usage' is ${limit} Instances, with current utilization of 0 Instances and a request delta of ${wanted} Instances. Please use AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is not available, contact AWS support to request an increase for this quota.`,
  );
