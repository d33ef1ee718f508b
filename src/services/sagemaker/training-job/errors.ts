// Texts that clients match; sources: terraform-provider-aws and the ACK controller (fragments they look for), and real answers of SageMaker quoted in their issue trackers.
import { needsContainer } from "../../../compute/frameworks/other-images.ts";
import { AwsError, validationError } from "../../../lib/aws-error.ts";

export const trainingJobNotFound = (): AwsError => validationError("Requested resource not found.");

export const trainingJobExists = (arn: string): AwsError =>
  new AwsError(
    "ResourceInUse",
    `Training job names must be unique within an AWS account and region, and a training job with this name already exists (${arn})`,
  );

export const cannotUpdate = (state: string): AwsError =>
  validationError(`The request was rejected because the training job is in status ${state} and cannot be updated.`);

export const noWarmPool = (): AwsError =>
  validationError(
    "The request was rejected because the training job has no warm pool that is Available: its KeepAlivePeriodInSeconds cannot be updated.",
  );

export const hasWarmPool = (arn: string): AwsError =>
  new AwsError(
    "ResourceInUse",
    `The training job ${arn} has a warm pool that is Available. Terminate it first: UpdateTrainingJob with KeepAlivePeriodInSeconds 0.`,
  );

export const unknownImage = (image: string, known: readonly string[], frameworks: readonly string[]): AwsError => {
  const why = needsContainer(image);
  return validationError(
    why === undefined
      ? `Salvia cannot run the training image ${image} yet. It runs SageMaker's built-in algorithms ${known.join(", ")}, and scripts in the images ${frameworks.join(", ")}, under the image name of any registry account and region. Other images run as containers, where a Docker Engine answers: none does here.`
      : `Salvia cannot run the training image ${image} here: ${why}`,
  );
};

export const badMetricDefinition = (name: string, regex: string, reason: string): AwsError =>
  validationError(
    `The regular expression ${JSON.stringify(regex)} of the metric definition "${name}" cannot be used: ${reason}. It must be in RE2's syntax, which has neither look-around nor back-references.`,
  );

export const fixedMetricDefinitions = (): AwsError =>
  validationError(
    "You can't override the metric definitions for Amazon SageMaker algorithms. Please retry your request without specifying metric definitions.",
  );
