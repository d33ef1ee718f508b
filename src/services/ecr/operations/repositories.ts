// CreateRepository, DescribeRepositories, DeleteRepository.
import { AwsError } from "../../../lib/aws-error.ts";
import type { Reader, Writer } from "../../../database/store.ts";
import type { CreateRepositoryRequest } from "../../../models/generated/ecr.ts";
import { hostOf, operation, repositoryIn, type EcrContext } from "../context.ts";
import { invalidParameter, repositoryExists, repositoryNotEmpty } from "../core/errors.ts";
import type { Registry } from "../core/image-name.ts";
import { dropUploads } from "../core/layers.ts";
import { afterOf, pageOf } from "../core/page.ts";
import {
  describeRepository,
  repositoryOf,
  requireRepository,
  type Repository,
  type RepositorySettings,
} from "../core/repositories.ts";
import { previewSetting } from "./lifecycle-preview.ts";
import { checkExclusions, checkTags } from "./checks.ts";

const defaultPage = 100;

/** Keys of one's own are said to encrypt; Salvia does not claim what it does not do. */
function settingsOf(input: CreateRepositoryRequest): RepositorySettings {
  const { imageTagMutability, imageTagMutabilityExclusionFilters, imageScanningConfiguration } = input;
  const { encryptionConfiguration } = input;
  checkExclusions(imageTagMutability ?? "MUTABLE", imageTagMutabilityExclusionFilters);
  if (encryptionConfiguration && encryptionConfiguration.encryptionType !== "AES256")
    throw new AwsError(
      "NotImplementedException",
      "Repositories with encryptionType KMS are not implemented by Salvia.",
      {
        httpStatus: 501,
      },
    );
  return {
    imageTagMutability: imageTagMutability ?? "MUTABLE",
    ...(imageTagMutabilityExclusionFilters && { imageTagMutabilityExclusionFilters }),
    ...(imageScanningConfiguration && { imageScanningConfiguration }),
    ...(encryptionConfiguration && { encryptionConfiguration: { encryptionType: "AES256" } }),
  };
}

const createRepository = operation("CreateRepository", async (input, ctx) => {
  const tags = checkTags([], input.tags ?? []);
  const settings = JSON.stringify(settingsOf(input));
  const place = repositoryIn(ctx, input.repositoryName);
  const row = { ...place, uid: ctx.random.uuid(), created_at: ctx.clock.now().getTime(), settings };
  const full = { ...row, tags: JSON.stringify(tags), policy: null, lifecycle_policy: null };
  const { numInsertedOrUpdatedRows } = await ctx.store.write((tx) =>
    tx
      .insertInto("ecr_repositories")
      .values(full)
      .onConflict((conflict) => conflict.columns(["account", "region", "name"]).doNothing())
      .executeTakeFirst(),
  );
  if (numInsertedOrUpdatedRows !== 1n) throw repositoryExists(place.name, place.account);
  return { repository: describeRepository(repositoryOf(full), hostOf(ctx)) };
});

const describeRepositories = operation("DescribeRepositories", async (input, ctx) => {
  const { repositoryNames: names, maxResults, nextToken } = input;
  if (names && (maxResults !== undefined || nextToken !== undefined))
    throw invalidParameter("Invalid parameter: maxResults and nextToken cannot be used with repositoryNames.");
  const host = hostOf(ctx);
  if (names) {
    const found = await Promise.all(names.map((name) => requireRepository(ctx.store.read, repositoryIn(ctx, name))));
    return { repositories: found.map((repository) => describeRepository(repository, host)) };
  }
  const size = maxResults ?? defaultPage;
  const page = pageOf(await repositoriesOf(ctx.store.read, ctx, afterOf(input), size + 1), size, ({ name }) => name);
  const { items, ...rest } = page;
  return { repositories: items.map((repository) => describeRepository(repository, host)), ...rest };
});

async function repositoriesOf(
  read: Reader,
  { account, region }: Registry,
  after: string | undefined,
  limit: number,
): Promise<readonly Repository[]> {
  const rows = await read
    .selectFrom("ecr_repositories")
    .selectAll()
    .where("account", "=", account)
    .where("region", "=", region)
    .where("name", ">", after ?? "")
    .orderBy("name")
    .limit(limit)
    .execute();
  return rows.map(repositoryOf);
}

const deleteRepository = operation("DeleteRepository", async (input, ctx) => {
  const place = repositoryIn(ctx, input.repositoryName);
  const gone = await ctx.store.write((tx) => removeRepository(tx, ctx, place.name, input.force === true));
  return { repository: describeRepository(gone, hostOf(ctx)) };
});

/** Its layers' bytes go when no other repository has them. */
async function removeRepository(tx: Writer, ctx: EcrContext, name: string, force: boolean): Promise<Repository> {
  const repository = await requireRepository(tx, repositoryIn(ctx, name));
  const { uid, account } = repository;
  const image = await tx.selectFrom("ecr_images").select("digest").where("repository_uid", "=", uid).executeTakeFirst();
  if (image && !force) throw repositoryNotEmpty(name, account);
  await tx.deleteFrom("ecr_repositories").where("uid", "=", uid).execute();
  for (const table of ["ecr_images", "ecr_image_tags", "ecr_references", "ecr_repository_layers"] as const)
    await tx.deleteFrom(table).where("repository_uid", "=", uid).execute();
  await tx.deleteFrom("ecr_registry_settings").where("name", "=", previewSetting(repository)).execute();
  const uploads = await tx.selectFrom("ecr_layer_uploads").select("id").where("repository_uid", "=", uid).execute();
  const ids = uploads.map(({ id }) => id);
  await dropUploads(tx, ids, ctx.clock.now().getTime());
  return repository;
}

export const repositoryOperations = [createRepository, describeRepositories, deleteRepository];
