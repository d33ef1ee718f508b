// Texts that clients match.
import { needsContainer } from "../../../compute/frameworks/other-images.ts";
import { validationError, type AwsError } from "../../../lib/aws-error.ts";

export const unknownImage = (image: string): AwsError => {
  const why = needsContainer(image);
  return validationError(
    why === undefined
      ? `Salvia cannot run the processing image ${image} yet. It runs SageMaker's framework images (docs/frameworks.md) with a ContainerEntrypoint. Other images run as containers, where a Docker Engine answers: none does here.`
      : `Salvia cannot run the processing image ${image} here: ${why}`,
  );
};
