// What ECR says to callers. https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html and each operation's page
import { AwsError } from "../../../lib/aws-error.ts";

export const invalidParameter = (message: string): AwsError => new AwsError("InvalidParameterException", message);

export const invalidToken = (): AwsError => invalidParameter("Invalid parameter at 'nextToken'.");

export const repositoryNotFound = (name: string, account: string): AwsError =>
  new AwsError(
    "RepositoryNotFoundException",
    `The repository with name '${name}' does not exist in the registry with id '${account}'`,
  );

export const repositoryExists = (name: string, account: string): AwsError =>
  new AwsError(
    "RepositoryAlreadyExistsException",
    `The repository with name '${name}' already exists in the registry with id '${account}'`,
  );

export const repositoryNotEmpty = (name: string, account: string): AwsError =>
  new AwsError(
    "RepositoryNotEmptyException",
    `The repository with name '${name}' in registry with id '${account}' cannot be deleted because it still contains images`,
  );

export const imageNotFound = (image: string, name: string, account: string): AwsError =>
  new AwsError(
    "ImageNotFoundException",
    `The image with imageId {${image}} does not exist within the repository with name '${name}' in the registry with id '${account}'`,
  );

export const tagIsImmutable = (tag: string, name: string): AwsError =>
  new AwsError(
    "ImageTagAlreadyExistsException",
    `The image tag '${tag}' already exists in the '${name}' repository and cannot be overwritten because the tag is immutable.`,
  );

export const imageExists = (digest: string, tag: string | undefined, name: string, account: string): AwsError =>
  new AwsError(
    "ImageAlreadyExistsException",
    `Image with digest '${digest}'${tag === undefined ? "" : ` and tag '${tag}'`} already exists in the repository with name '${name}' in registry with id '${account}'`,
  );

export const layersNotFound = (digests: readonly string[], name: string, account: string): AwsError =>
  new AwsError(
    "LayersNotFoundException",
    `Layers with digests '[${digests.join(", ")}]' required for pushing image into repository with name '${name}' in the registry with id '${account}' do not exist`,
  );

export const referencedImagesNotFound = (digests: readonly string[], name: string, account: string): AwsError =>
  new AwsError(
    "ReferencedImagesNotFoundException",
    `Images with digests '[${digests.join(", ")}]' required for pushing image into repository with name '${name}' in the registry with id '${account}' do not exist`,
  );

export const uploadNotFound = (id: string, name: string, account: string): AwsError =>
  new AwsError(
    "UploadNotFoundException",
    `Layer upload with id '${id}' does not exist in the repository with name '${name}' in the registry with id '${account}'`,
  );

export const digestMismatch = (): AwsError =>
  new AwsError("ImageDigestDoesNotMatchException", "The image digest does not match the digest that was provided.");

export const invalidLayer = (): AwsError =>
  new AwsError("InvalidLayerException", "The digest of the uploaded bytes is not among the digests that were given.");

export const emptyUpload = (id: string): AwsError =>
  new AwsError("EmptyUploadException", `Layer upload with id '${id}' has no parts.`);

export const storageFull = (): AwsError =>
  new AwsError("ServerException", "There is no room for the layer: the disk is full.", { httpStatus: 503 });
