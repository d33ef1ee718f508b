// ListImages, DescribeImages, BatchGetImage, BatchDeleteImage, PutImage.
import type { ImageFailure, ImageFailureCode, ImageIdentifier } from "../../../models/generated/ecr.ts";
import { operation, repositoryIn } from "../context.ts";
import { digestMismatch, imageNotFound, invalidParameter } from "../core/errors.ts";
import { isDigest, isTag } from "../core/image-name.ts";
import { deleteImage, deleteTag, indexThatNeeds } from "../core/images.ts";
import { digestOfTag, findImage, notePull, placeImage, tagsOfImages, type Image } from "../core/images.ts";
import { digestOf, ManifestProblem, readManifest, type Manifest } from "../core/manifest.ts";
import { requireRepository, type Repository } from "../core/repositories.ts";
import type { Reader, Writer } from "../../../database/store.ts";
import { describedImages, listedImages } from "./listed-images.ts";

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");

const failure = (imageId: ImageIdentifier, failureCode: ImageFailureCode, failureReason: string): ImageFailure => ({
  imageId,
  failureCode,
  failureReason,
});

/** As ECR prints an image's id in errors. */
const shown = ({ imageDigest, imageTag }: ImageIdentifier): string =>
  `imageDigest:'${imageDigest ?? "null"}', imageTag:'${imageTag ?? "null"}'`;

/** Undefined: the identifier can be looked for. */
function identifierProblem(imageId: ImageIdentifier): ImageFailure | undefined {
  const { imageDigest, imageTag } = imageId;
  if (imageDigest === undefined && imageTag === undefined)
    return failure(imageId, "MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null");
  if (imageDigest !== undefined && !isDigest(imageDigest))
    return failure(
      imageId,
      "InvalidImageDigest",
      "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
    );
  if (imageTag !== undefined && !isTag(imageTag))
    return failure(imageId, "InvalidImageTag", "Invalid request parameters: image tag is invalid");
  return undefined;
}

async function lookUp(read: Reader, uid: string, imageId: ImageIdentifier): Promise<Image | ImageFailure> {
  const problem = identifierProblem(imageId);
  if (problem) return problem;
  const { imageDigest, imageTag } = imageId;
  const notFound = failure(imageId, "ImageNotFound", "Requested image not found");
  const tagged = imageTag === undefined ? undefined : await digestOfTag(read, uid, imageTag);
  if (imageTag !== undefined && tagged === undefined) return notFound;
  if (imageDigest !== undefined && tagged !== undefined && imageDigest !== tagged)
    return failure(imageId, "ImageTagDoesNotMatchDigest", "The tag belongs to another digest");
  const digest = imageDigest ?? tagged;
  return (digest === undefined ? undefined : await findImage(read, uid, { digest })) ?? notFound;
}

const isFailure = (found: Image | ImageFailure): found is ImageFailure => "failureCode" in found;

const batchGetImage = operation("BatchGetImage", async (input, ctx) => {
  const repository = await requireRepository(ctx.store.read, repositoryIn(ctx, input.repositoryName));
  const images = [];
  const failures: ImageFailure[] = [];
  for (const imageId of input.imageIds) {
    const found = await lookUp(ctx.store.read, repository.uid, imageId);
    if (isFailure(found)) failures.push(found);
    else {
      await notePull(ctx.store.write.bind(ctx.store), repository.uid, found, ctx.clock.now().getTime());
      images.push({
        registryId: repository.account,
        repositoryName: repository.name,
        imageId: { imageDigest: found.digest, ...(imageId.imageTag !== undefined && { imageTag: imageId.imageTag }) },
        imageManifest: textOf(found.manifest),
        imageManifestMediaType: found.mediaType,
      });
    }
  }
  return { images, failures };
});

const listImages = operation("ListImages", async (input, ctx) => {
  const { uid } = await requireRepository(ctx.store.read, repositoryIn(ctx, input.repositoryName));
  return listedImages(ctx.store.read, uid, input);
});

const describeImages = operation("DescribeImages", async (input, ctx) => {
  const repository = await requireRepository(ctx.store.read, repositoryIn(ctx, input.repositoryName));
  if (!input.imageIds) return describedImages(ctx.store.read, repository, input);
  if (input.maxResults !== undefined || input.nextToken !== undefined)
    throw invalidParameter("Invalid parameter: maxResults and nextToken cannot be used with imageIds.");
  const digests = new Set<string>();
  for (const imageId of input.imageIds) {
    const found = await lookUp(ctx.store.read, repository.uid, imageId);
    if (!isFailure(found)) digests.add(found.digest);
    else if (found.failureCode === "ImageNotFound" || found.failureCode === "ImageTagDoesNotMatchDigest")
      throw imageNotFound(shown(imageId), repository.name, repository.account);
    else throw invalidParameter(found.failureReason ?? "Invalid parameter at 'imageIds'.");
  }
  return describedImages(ctx.store.read, repository, {}, [...digests]);
});

const batchDeleteImage = operation("BatchDeleteImage", async (input, ctx) => {
  const place = repositoryIn(ctx, input.repositoryName);
  const nowMs = ctx.clock.now().getTime();
  return ctx.store.write(async (tx) => {
    const { uid } = await requireRepository(tx, place);
    const imageIds: ImageIdentifier[] = [];
    const failures: ImageFailure[] = [];
    for (const imageId of input.imageIds) {
      const removed = await removeOne(tx, uid, imageId, nowMs);
      if ("ids" in removed) imageIds.push(...removed.ids);
      else failures.push(removed);
    }
    return { imageIds, failures };
  });
});

type Removed = { readonly ids: readonly ImageIdentifier[] };

/** By digest the image goes with all its tags; by tag the tag goes, and with the last tag the image. */
async function removeOne(
  tx: Writer,
  uid: string,
  imageId: ImageIdentifier,
  nowMs: number,
): Promise<Removed | ImageFailure> {
  const found = await lookUp(tx, uid, imageId);
  if (isFailure(found)) return found;
  const { digest } = found;
  const tags = (await tagsOfImages(tx, uid, [digest])).get(digest) ?? [];
  const { imageTag } = imageId;
  if (imageTag !== undefined && tags.length > 1) {
    await deleteTag(tx, uid, imageTag);
    return { ids: [{ imageDigest: digest, imageTag }] };
  }
  const index = await indexThatNeeds(tx, uid, digest);
  if (index !== undefined)
    return failure(imageId, "ImageReferencedByManifestList", `Requested image referenced by manifest list: [${index}]`);
  await deleteImage(tx, uid, digest, nowMs);
  return {
    ids: tags.length === 0 ? [{ imageDigest: digest }] : tags.map((tag) => ({ imageDigest: digest, imageTag: tag })),
  };
}

function manifestOf(text: string, mediaType: string | undefined): Manifest {
  try {
    return readManifest(Buffer.from(text, "utf8"), mediaType);
  } catch (error) {
    if (error instanceof ManifestProblem)
      throw invalidParameter(`Invalid parameter at 'ImageManifest' failed to satisfy constraint: '${error.message}'`);
    throw error;
  }
}

const putImage = operation("PutImage", async (input, ctx) => {
  const { imageManifest, imageTag: tag, imageDigest } = input;
  if (tag !== undefined && !isTag(tag)) throw invalidParameter("Invalid parameter at 'imageTag'.");
  if (imageDigest !== undefined && !isDigest(imageDigest))
    throw invalidParameter("Invalid parameter at 'imageDigest'.");
  const manifest = manifestOf(imageManifest, input.imageManifestMediaType);
  const digest = digestOf(manifest.bytes, imageDigest);
  if (imageDigest !== undefined && imageDigest !== digest) throw digestMismatch();
  const place = repositoryIn(ctx, input.repositoryName);
  const repository = await ctx.store.write(async (tx): Promise<Repository> => {
    const found = await requireRepository(tx, place);
    await placeImage(tx, found, { manifest, digest, tag, mustBeNew: true }, ctx.clock.now().getTime());
    return found;
  });
  return {
    image: {
      registryId: repository.account,
      repositoryName: repository.name,
      imageId: { imageDigest: digest, ...(tag !== undefined && { imageTag: tag }) },
      imageManifest,
      imageManifestMediaType: manifest.mediaType,
    },
  };
});

export const imageOperations = [listImages, describeImages, batchGetImage, batchDeleteImage, putImage];
