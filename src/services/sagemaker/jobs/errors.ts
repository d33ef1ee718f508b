// Texts that clients match, of every kind of job; sources: terraform-provider-aws and the ACK controller (fragments they look for), and
// real answers of SageMaker quoted in their issue trackers.
import { AwsError, validationError } from "../../../lib/aws-error.ts";

export type JobNoun = "training job" | "processing job" | "transform job";

export const jobNotFound = (arn: string): AwsError => validationError(`Could not find requested job with arn: ${arn}`);

export const jobExists = (arn: string): AwsError =>
  new AwsError(
    "ResourceInUse",
    `Job name must be unique within an AWS account and region, and a job with this name already exists (${arn})`,
  );

export const cannotStop = (noun: JobNoun, state: string): AwsError =>
  validationError(`The request was rejected because the ${noun} is in status ${state}.`);

export const cannotDelete = (noun: JobNoun, arn: string, state: string): AwsError =>
  new AwsError(
    "ResourceInUse",
    `The ${noun} ${arn} is in status ${state}. Only a ${noun} that is Completed, Failed or Stopped can be deleted.`,
  );
