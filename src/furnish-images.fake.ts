// Furniture of ECR: requests that work on a furnished installation, and what makes them work.
import { createHash } from "node:crypto";
import { FakeCallError, fakeAccount, fakeRegion, type FakeSalvia } from "./salvia.fake.ts";

type Members = Readonly<Record<string, unknown>>;

const digestOf = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const allow = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:*"}]}';
const lifecycle = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      description: "the newest hundred",
      selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 100 },
      action: { type: "expire" },
    },
  ],
});
const repositoryName = "repository";
const repository = { repositoryName };
const resourceArn = `arn:aws:ecr:${fakeRegion}:${fakeAccount}:repository/repository`;
const config = "{}";
const part = "fresh layer";
const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf(config), size: config.length },
  layers: [],
});
const image = { ...repository, imageManifest: manifest };
const imageIds = [{ imageTag: "latest" }];

/** As in the recipes of furnish.fake.ts: stands for what only a running server knows. */
const madeByServer = "made by the server";
const upload = { ...repository, uploadId: madeByServer };

export const imageRecipes: Readonly<Record<string, Members>> = {
  "ecr.CreateRepository": { repositoryName: "fresh-repository", imageTagMutability: "MUTABLE" },
  "ecr.DeleteRepository": { repositoryName: "spare-repository", force: true },
  "ecr.DescribeRepositories": { maxResults: 1 },
  "ecr.PutImage": { ...image, imageTag: "other" },
  "ecr.BatchGetImage": { ...repository, imageIds },
  "ecr.BatchDeleteImage": { ...repository, imageIds: [...imageIds, { imageDigest: digestOf("none") }] },
  "ecr.DescribeImages": { ...repository, imageIds },
  "ecr.ListImages": { ...repository, maxResults: 1, filter: { tagStatus: "TAGGED" } },
  "ecr.BatchCheckLayerAvailability": { ...repository, layerDigests: [digestOf(config), "none"] },
  "ecr.GetDownloadUrlForLayer": { ...repository, layerDigest: digestOf(config) },
  "ecr.InitiateLayerUpload": repository,
  "ecr.UploadLayerPart": {
    ...upload,
    partFirstByte: part.length,
    partLastByte: part.length,
    layerPartBlob: Buffer.from("!"),
  },
  "ecr.CompleteLayerUpload": { ...upload, layerDigests: [digestOf(part)] },
  "ecr.PutImageTagMutability": { ...repository, imageTagMutability: "MUTABLE" },
  "ecr.PutImageScanningConfiguration": { ...repository, imageScanningConfiguration: { scanOnPush: true } },
  "ecr.SetRepositoryPolicy": { ...repository, policyText: allow },
  "ecr.GetRepositoryPolicy": repository,
  "ecr.DeleteRepositoryPolicy": repository,
  "ecr.PutLifecyclePolicy": { ...repository, lifecyclePolicyText: lifecycle },
  "ecr.GetLifecyclePolicy": repository,
  "ecr.DeleteLifecyclePolicy": repository,
  "ecr.StartLifecyclePolicyPreview": repository,
  "ecr.GetLifecyclePolicyPreview": repository,
  "ecr.PutRegistryPolicy": { policyText: allow },
  "ecr.PutReplicationConfiguration": { replicationConfiguration: { rules: [] } },
  "ecr.TagResource": { resourceArn, tags: [{ Key: "a", Value: "b" }] },
  "ecr.UntagResource": { resourceArn, tagKeys: ["a"] },
  "ecr.ListTagsForResource": { resourceArn },
};

export const knownOfImages: Readonly<Record<string, readonly unknown[]>> = {
  repositoryname: [repositoryName],
  imagetag: ["latest"],
  imagedigest: [digestOf(manifest)],
  layerdigest: [digestOf(config)],
  imagemanifest: [manifest, "{}", "[]"],
};

/** What is there already is fine. */
async function ensure(salvia: FakeSalvia, name: string, members: Members): Promise<Members> {
  try {
    return await salvia.call("ecr", name, members);
  } catch (error) {
    if (error instanceof FakeCallError && error.answer.status < 500) return {};
    throw error;
  }
}

/** Of an upload under way, with one part. */
async function beginUpload(salvia: FakeSalvia, text: string): Promise<string> {
  const { uploadId } = await salvia.call("ecr", "InitiateLayerUpload", repository);
  const bytes = { partFirstByte: 0, partLastByte: text.length - 1, layerPartBlob: Buffer.from(text) };
  await ensure(salvia, "UploadLayerPart", { ...repository, uploadId, ...bytes });
  return String(uploadId);
}

/** Resolves to the id of an upload. */
export async function furnishImages(salvia: FakeSalvia): Promise<string> {
  for (const name of [repositoryName, "spare-repository"])
    await ensure(salvia, "CreateRepository", { repositoryName: name });
  const uploadId = await beginUpload(salvia, config);
  await ensure(salvia, "CompleteLayerUpload", { ...repository, uploadId, layerDigests: [digestOf(config)] });
  await ensure(salvia, "PutImageTagMutability", { ...repository, imageTagMutability: "MUTABLE" });
  await ensure(salvia, "PutImage", { ...image, imageTag: "latest" });
  for (const name of ["SetRepositoryPolicy", "PutLifecyclePolicy", "StartLifecyclePolicyPreview", "PutRegistryPolicy"])
    await ensure(salvia, name, imageRecipes[`ecr.${name}`] ?? {});
  return beginUpload(salvia, part);
}
