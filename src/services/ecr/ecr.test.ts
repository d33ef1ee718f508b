// ECR's operations through a whole server.
import { afterAll, beforeAll, expect, test } from "vitest";
import { fakeAccount, fakeRegion, FakeCallError } from "../../salvia.fake.ts";
import { codeOf, explicitName, imageType, sha256Of, startFakeRegistry, type FakeRegistry } from "./registry.fake.ts";

let registry: FakeRegistry;

beforeAll(async () => {
  registry = await startFakeRegistry([]);
});

afterAll(() => registry.stop());

const call = (operation: string, input: object) => registry.call("ecr", operation, input);

const refusal = async (operation: string, input: object): Promise<string> => {
  try {
    await call(operation, input);
  } catch (error) {
    if (error instanceof FakeCallError) return error.answer.code ?? "";
    throw error;
  }
  return "no refusal";
};

test("a repository says where docker finds it, and is there once", async () => {
  const { repository } = await call("CreateRepository", { repositoryName: "team/first" });
  const { port } = new URL(registry.salvia.url);
  expect(repository).toMatchObject({
    repositoryArn: `arn:aws:ecr:${fakeRegion}:${fakeAccount}:repository/team/first`,
    registryId: fakeAccount,
    repositoryUri: `localhost:${port}/${explicitName(fakeAccount, "team/first")}`,
    imageTagMutability: "MUTABLE",
    imageScanningConfiguration: { scanOnPush: false },
    encryptionConfiguration: { encryptionType: "AES256" },
  });
  expect(await refusal("CreateRepository", { repositoryName: "team/first" })).toBe("RepositoryAlreadyExistsException");
  expect(await refusal("CreateRepository", { repositoryName: "Not/Good" })).toBe("InvalidParameterException");
  expect(await refusal("DescribeRepositories", { repositoryNames: ["absent"] })).toBe("RepositoryNotFoundException");
});

test("repositories come in pages, in the order of their names", async () => {
  for (const repositoryName of ["pages/b", "pages/a", "pages/c"]) await call("CreateRepository", { repositoryName });
  const seen: string[] = [];
  let nextToken: unknown;
  do {
    const page = await call("DescribeRepositories", { maxResults: 2, ...(nextToken !== undefined && { nextToken }) });
    seen.push(...(page["repositories"] as { repositoryName: string }[]).map(({ repositoryName }) => repositoryName));
    nextToken = page["nextToken"];
  } while (nextToken !== undefined);
  expect(seen).toEqual([...seen].sort());
  expect(seen.filter((name) => name.startsWith("pages/"))).toEqual(["pages/a", "pages/b", "pages/c"]);
  expect(await refusal("DescribeRepositories", { nextToken: "not ours" })).toBe("InvalidParameterException");
});

test("images come in pages with their tags, and can be told apart by whether they have one", async () => {
  await call("CreateRepository", { repositoryName: "listed" });
  const one = await registry.pushImage("listed", "v1", "one");
  await registry.ask("PUT", "listed/manifests/v1.0", { body: one.manifest, headers: { "content-type": imageType } });
  const two = await registry.pushImage("listed", "gone", "two");
  await registry.ask("DELETE", "listed/manifests/gone");
  const repository = { repositoryName: "listed" };
  const ids: unknown[] = [];
  let nextToken: unknown;
  do {
    const page = await call("ListImages", {
      ...repository,
      maxResults: 1,
      ...(nextToken !== undefined && { nextToken }),
    });
    ids.push(...(page["imageIds"] as unknown[]));
    nextToken = page["nextToken"];
  } while (nextToken !== undefined);
  expect(ids).toHaveLength(3);
  expect(ids).toEqual(
    expect.arrayContaining([
      { imageDigest: one.digest, imageTag: "v1" },
      { imageDigest: one.digest, imageTag: "v1.0" },
      { imageDigest: two.digest },
    ]),
  );
  const tagged = await call("DescribeImages", { ...repository, filter: { tagStatus: "TAGGED" } });
  expect(tagged["imageDetails"]).toMatchObject([
    { imageDigest: one.digest, imageTags: ["v1", "v1.0"], imageManifestMediaType: imageType },
  ]);
  const untagged = await call("DescribeImages", { ...repository, filter: { tagStatus: "UNTAGGED" } });
  expect(untagged["imageDetails"]).toMatchObject([{ imageDigest: two.digest }]);
  expect(await refusal("DescribeImages", { ...repository, imageIds: [{ imageTag: "absent" }] })).toBe(
    "ImageNotFoundException",
  );
});

test("the last tag takes its image along, another does not", async () => {
  await call("CreateRepository", { repositoryName: "tags" });
  const { digest, manifest } = await registry.pushImage("tags", "a", "tagged");
  const repository = { repositoryName: "tags" };
  await call("PutImage", { ...repository, imageManifest: manifest, imageTag: "b" });
  expect(await refusal("PutImage", { ...repository, imageManifest: manifest, imageTag: "b" })).toBe(
    "ImageAlreadyExistsException",
  );
  expect(await refusal("PutImage", { ...repository, imageManifest: manifest, imageDigest: sha256Of("x") })).toBe(
    "ImageDigestDoesNotMatchException",
  );
  const first = await call("BatchDeleteImage", { ...repository, imageIds: [{ imageTag: "a" }] });
  expect(first).toMatchObject({ imageIds: [{ imageDigest: digest, imageTag: "a" }], failures: [] });
  const { images } = await call("BatchGetImage", { ...repository, imageIds: [{ imageDigest: digest }] });
  expect(images).toMatchObject([{ imageManifest: manifest, imageManifestMediaType: imageType }]);
  await call("BatchDeleteImage", { ...repository, imageIds: [{ imageTag: "b" }] });
  const gone = await call("BatchGetImage", {
    ...repository,
    imageIds: [{ imageDigest: digest }, {}, { imageDigest: "sha256:0" }, { imageTag: "b" }],
  });
  expect((gone["failures"] as { failureCode: string }[]).map(({ failureCode }) => failureCode)).toEqual([
    "ImageNotFound",
    "MissingDigestAndTag",
    "InvalidImageDigest",
    "ImageNotFound",
  ]);
});

test("tags that match an exclusion of an immutable repository may move", async () => {
  const filters = [{ filterType: "WILDCARD", filter: "dev*latest" }];
  const settings = { imageTagMutability: "IMMUTABLE_WITH_EXCLUSION", imageTagMutabilityExclusionFilters: filters };
  await call("CreateRepository", { repositoryName: "mostly-fixed", ...settings });
  for (const tag of ["v1", "dev-latest"]) await registry.pushImage("mostly-fixed", tag, "first");
  await registry.pushImage("mostly-fixed", "dev-latest", "second");
  await expect(registry.pushImage("mostly-fixed", "v1", "second")).rejects.toThrow("TAG_INVALID");
  const unfiltered = { repositoryName: "mostly-fixed", imageTagMutability: "IMMUTABLE_WITH_EXCLUSION" };
  expect(await refusal("PutImageTagMutability", unfiltered)).toBe("InvalidParameterException");
});

test("a layer comes in parts by the API, in order and with the right digest alone", async () => {
  await call("CreateRepository", { repositoryName: "parts" });
  const repository = { repositoryName: "parts" };
  const { uploadId } = await call("InitiateLayerUpload", repository);
  const part = (text: string, partFirstByte: number) => ({
    ...repository,
    uploadId,
    partFirstByte,
    partLastByte: partFirstByte + text.length - 1,
    layerPartBlob: Buffer.from(text),
  });
  expect(await refusal("CompleteLayerUpload", { ...repository, uploadId, layerDigests: [sha256Of("")] })).toBe(
    "EmptyUploadException",
  );
  expect(await call("UploadLayerPart", part("one ", 0))).toMatchObject({ lastByteReceived: 3 });
  expect(await refusal("UploadLayerPart", part("late", 9))).toBe("InvalidLayerPartException");
  expect(await refusal("UploadLayerPart", { ...part("two", 4), partLastByte: 99 })).toBe("InvalidParameterException");
  await call("UploadLayerPart", part("two", 4));
  expect(await refusal("CompleteLayerUpload", { ...repository, uploadId, layerDigests: [sha256Of("other")] })).toBe(
    "InvalidLayerException",
  );
  const layerDigest = sha256Of("one two");
  await call("CompleteLayerUpload", { ...repository, uploadId, layerDigests: [layerDigest] });
  expect(await refusal("CompleteLayerUpload", { ...repository, uploadId, layerDigests: [sha256Of("x")] })).toBe(
    "UploadNotFoundException",
  );
  const { downloadUrl } = await call("GetDownloadUrlForLayer", { ...repository, layerDigest });
  expect(await (await fetch(String(downloadUrl))).text()).toBe("one two");
  const spoilt = String(downloadUrl).replace(layerDigest, sha256Of("other"));
  expect([(await fetch(spoilt)).status]).toEqual([403]);
});

test("a repository that is made again has nothing of the old one, and lets its bytes go", async () => {
  const { salvia } = registry;
  await call("CreateRepository", { repositoryName: "again" });
  const { layer } = await registry.pushImage("again", "v1", "bytes of again");
  expect(await refusal("DeleteRepository", { repositoryName: "again" })).toBe("RepositoryNotEmptyException");
  await call("DeleteRepository", { repositoryName: "again", force: true });
  await call("CreateRepository", { repositoryName: "again" });
  expect(await call("ListImages", { repositoryName: "again" })).toEqual({ imageIds: [] });
  expect((await registry.ask("HEAD", `again/blobs/${layer}`)).status).toBe(404);
  await salvia.clock.advance(60_000);
  await salvia.settle();
  const answer = await registry.ask("GET", "again/manifests/v1");
  expect(await codeOf(answer)).toBe("MANIFEST_UNKNOWN");
});

test("policies are kept as they were written, and what is no policy is refused", async () => {
  await call("CreateRepository", { repositoryName: "governed" });
  const repository = { repositoryName: "governed" };
  expect(await refusal("GetRepositoryPolicy", repository)).toBe("RepositoryPolicyNotFoundException");
  expect(await refusal("SetRepositoryPolicy", { ...repository, policyText: "{}" })).toBe("InvalidParameterException");
  const policyText =
    '{ "Version": "2012-10-17", "Statement": [{"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}] }';
  await call("SetRepositoryPolicy", { ...repository, policyText });
  expect(await call("GetRepositoryPolicy", repository)).toMatchObject({ policyText, registryId: fakeAccount });
  expect(await refusal("GetLifecyclePolicy", repository)).toBe("LifecyclePolicyNotFoundException");
  const padded = (text: string): string => text.padEnd(100);
  expect(await refusal("PutLifecyclePolicy", { ...repository, lifecyclePolicyText: padded('{"rules":[{}]}') })).toBe(
    "InvalidParameterException",
  );
});

test("tags of a repository are added, taken away, and bounded", async () => {
  const { repository } = await call("CreateRepository", { repositoryName: "tagged", tags: [{ Key: "a", Value: "1" }] });
  const resourceArn = (repository as { readonly repositoryArn: string }).repositoryArn;
  await call("TagResource", {
    resourceArn,
    tags: [
      { Key: "a", Value: "2" },
      { Key: "b", Value: "" },
    ],
  });
  await call("UntagResource", { resourceArn, tagKeys: ["b"] });
  expect(await call("ListTagsForResource", { resourceArn })).toEqual({ tags: [{ Key: "a", Value: "2" }] });
  const many = Array.from({ length: 50 }, (_, at) => ({ Key: `k${at}`, Value: "" }));
  expect(await refusal("TagResource", { resourceArn, tags: many })).toBe("TooManyTagsException");
  expect(await refusal("TagResource", { resourceArn, tags: [{ Key: "aws:x", Value: "" }] })).toBe(
    "InvalidTagParameterException",
  );
  expect(await refusal("ListTagsForResource", { resourceArn: `${resourceArn}-absent` })).toBe(
    "RepositoryNotFoundException",
  );
});

test("another account's registry is closed to its operations", async () => {
  const other = { registryId: "111122223333" };
  expect(await refusal("DescribeRepositories", other)).toBe("AccessDeniedException");
  expect(await refusal("ListImages", { ...other, repositoryName: "tagged" })).toBe("AccessDeniedException");
});
