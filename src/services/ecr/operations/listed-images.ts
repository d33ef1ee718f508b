// Pages of a repository's images: ids, one per tag and one per image without a tag, or details, one per image.
import type {
  DescribeImagesRequest,
  DescribeImagesResponse,
  ImageDetail,
  ListImagesRequest,
  ListImagesResponse,
  TagStatus,
} from "../../../models/generated/ecr.ts";
import type { Reader } from "../../../database/store.ts";
import { imageOf, tagsOfImages, type Image } from "../core/images.ts";
import { afterOf, pageOf } from "../core/page.ts";
import type { Repository } from "../core/repositories.ts";

const defaultPage = 100;

/** One id, its key in the order of the list. */
interface ListedId {
  readonly digest: string;
  readonly tag: string;
}

const keyOf = ({ digest, tag }: ListedId): string => `${digest} ${tag}`;

export async function listedImages(read: Reader, uid: string, input: ListImagesRequest): Promise<ListImagesResponse> {
  const [digest = "", tag = ""] = afterOf(input)?.split(" ") ?? [];
  const size = input.maxResults ?? defaultPage;
  const rows = await read
    .selectFrom("ecr_images as image")
    .leftJoin("ecr_image_tags as name", (join) =>
      join.onRef("name.repository_uid", "=", "image.repository_uid").onRef("name.digest", "=", "image.digest"),
    )
    .select(["image.digest", "name.tag"])
    .where("image.repository_uid", "=", uid)
    .where((eb) =>
      eb.or([eb("image.digest", ">", digest), eb.and([eb("image.digest", "=", digest), eb("name.tag", ">", tag)])]),
    )
    .$if(statusOf(input) === "TAGGED", (query) => query.where("name.tag", "is not", null))
    .$if(statusOf(input) === "UNTAGGED", (query) => query.where("name.tag", "is", null))
    .orderBy("image.digest")
    .orderBy("name.tag")
    .limit(size + 1)
    .execute();
  const { items, ...rest } = pageOf(
    rows.map((row) => ({ digest: row.digest, tag: row.tag ?? "" })),
    size,
    keyOf,
  );
  const imageIds = items.map((id) => ({ imageDigest: id.digest, ...(id.tag !== "" && { imageTag: id.tag }) }));
  return { imageIds, ...rest };
}

const statusOf = ({
  filter,
}: {
  readonly filter?: { readonly tagStatus?: TagStatus | undefined } | undefined;
}): TagStatus => filter?.tagStatus ?? "ANY";

/** `digests`: only these, in one answer. */
export async function describedImages(
  read: Reader,
  repository: Repository,
  input: Omit<DescribeImagesRequest, "repositoryName">,
  digests?: readonly string[],
): Promise<DescribeImagesResponse> {
  const size = digests?.length ?? input.maxResults ?? defaultPage;
  const status = statusOf(input);
  const rows = await read
    .selectFrom("ecr_images as image")
    .selectAll("image")
    .where("image.repository_uid", "=", repository.uid)
    .where("image.digest", ">", afterOf(input) ?? "")
    .$if(digests !== undefined, (query) => query.where("image.digest", "in", digests ?? []))
    .$if(status !== "ANY", (query) =>
      query.where((eb) => {
        const named = eb.exists(
          eb
            .selectFrom("ecr_image_tags as name")
            .select("name.tag")
            .whereRef("name.repository_uid", "=", "image.repository_uid")
            .whereRef("name.digest", "=", "image.digest"),
        );
        return status === "TAGGED" ? named : eb.not(named);
      }),
    )
    .orderBy("image.digest")
    .limit(size + 1)
    .execute();
  const { items, ...rest } = pageOf(rows.map(imageOf), size, ({ digest }) => digest);
  const tags = await tagsOfImages(
    read,
    repository.uid,
    items.map(({ digest }) => digest),
  );
  return { imageDetails: items.map((image) => detailOf(repository, image, tags.get(image.digest) ?? [])), ...rest };
}

const detailOf = ({ account, name }: Repository, image: Image, tags: readonly string[]): ImageDetail => ({
  registryId: account,
  repositoryName: name,
  imageDigest: image.digest,
  ...(tags.length > 0 && { imageTags: tags }),
  imageSizeInBytes: image.sizeBytes,
  imagePushedAt: image.pushedAt,
  imageManifestMediaType: image.mediaType,
  ...(image.artifactType !== undefined && { artifactMediaType: image.artifactType }),
  ...(image.subject !== undefined && { subjectManifestDigest: image.subject }),
  ...(image.pulledAt && { lastRecordedPullTime: image.pulledAt }),
  imageStatus: "ACTIVE",
});
