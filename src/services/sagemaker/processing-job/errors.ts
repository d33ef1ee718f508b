// Texts that clients match.
import { AwsError, validationError } from "../../../lib/aws-error.ts";

export const processingJobNotFound = (arn: string): AwsError =>
  validationError(`Could not find requested job with arn: ${arn}`);

export const processingJobExists = (arn: string): AwsError =>
  new AwsError(
    "ResourceInUse",
    `Job name must be unique within an AWS account and region, and a job with this name already exists (${arn})`,
  );

export const cannotStop = (state: string): AwsError =>
  validationError(`The request was rejected because the processing job is in status ${state}.`);

export const cannotDelete = (arn: string, state: string): AwsError =>
  new AwsError(
    "ResourceInUse",
    `The processing job ${arn} is in status ${state}. Only a processing job that is Completed, Failed or Stopped can be deleted.`,
  );

export const tooManyInstances = (instanceType: string, limit: number, wanted: number): AwsError =>
  new AwsError(
    "ResourceLimitExceeded",
    `The account-level service limit '${instanceType} for processing job usage' is ${limit} Instances, with current utilization of 0 Instances and a request delta of ${wanted} Instances. Please use AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is not available, contact AWS support to request an increase for this quota.`,
  );

export const unknownImage = (image: string): AwsError =>
  validationError(
    `Salvia cannot run the processing image ${image} yet. It runs SageMaker's framework images (docs/frameworks.md) with a ContainerEntrypoint. Other images run as containers, where a Docker Engine answers: none does here.`,
  );
