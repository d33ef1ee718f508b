// Rows of repositories, and what a repository is to the API.
import type { EcrRepositoriesTable } from "../../../database/tables/images.ts";
import type { Reader } from "../../../database/store.ts";
import type { CreateRepositoryRequest, Repository as RepositoryAnswer, Tag } from "../../../models/generated/ecr.ts";
import { repositoryNotFound } from "./errors.ts";
import { matchesWildcard } from "./wildcard.ts";
import { pathOfRepository, type RepositoryName } from "./image-name.ts";

export type RepositorySettings = Pick<
  CreateRepositoryRequest,
  "imageTagMutability" | "imageTagMutabilityExclusionFilters" | "imageScanningConfiguration" | "encryptionConfiguration"
>;

export interface Repository extends RepositoryName {
  readonly uid: string;
  readonly createdAt: Date;
  readonly settings: RepositorySettings;
  readonly tags: readonly Tag[];
  readonly policy: string | undefined;
  readonly lifecyclePolicy: string | undefined;
}

// Written by us alone.
export const repositoryOf = (row: EcrRepositoriesTable): Repository => ({
  account: row.account,
  region: row.region,
  name: row.name,
  uid: row.uid,
  createdAt: new Date(row.created_at),
  settings: JSON.parse(row.settings) as RepositorySettings,
  tags: JSON.parse(row.tags) as readonly Tag[],
  policy: row.policy ?? undefined,
  lifecyclePolicy: row.lifecycle_policy ?? undefined,
});

export async function findRepository(
  read: Reader,
  { account, region, name }: RepositoryName,
): Promise<Repository | undefined> {
  const row = await read
    .selectFrom("ecr_repositories")
    .selectAll()
    .where("account", "=", account)
    .where("region", "=", region)
    .where("name", "=", name)
    .executeTakeFirst();
  return row && repositoryOf(row);
}

/** Throws RepositoryNotFoundException. */
export async function requireRepository(read: Reader, name: RepositoryName): Promise<Repository> {
  const repository = await findRepository(read, name);
  if (!repository) throw repositoryNotFound(name.name, name.account);
  return repository;
}

export const repositoryArn = ({ account, region, name }: RepositoryName): string =>
  `arn:aws:ecr:${region}:${account}:repository/${name}`;

/**
 * The host and port by which docker finds this server. It takes plain HTTP from localhost alone; under another name (of a proxy
 * before the server, with a certificate) the client's own word is good, but not for AWS's names, which `salvia exec` answers for.
 */
export function registryHost(requestHost: string, serverUrl: string): string {
  const name = requestHost.replace(/:\d+$/, "");
  const isLocal = /^(?:localhost|127(?:\.\d+){3}|\[::1\]|::1|0\.0\.0\.0|)$/.test(name);
  if (!isLocal && !/\.amazonaws\.com(?:\.cn)?$|\.api\.aws$/.test(name)) return requestHost;
  const port = isLocal ? /:(\d+)$/.exec(requestHost)?.[1] : undefined;
  return `localhost:${port ?? (URL.canParse(serverUrl) ? new URL(serverUrl).port || "80" : "80")}`;
}

export const describeRepository = (repository: Repository, host: string): RepositoryAnswer => ({
  repositoryArn: repositoryArn(repository),
  registryId: repository.account,
  repositoryName: repository.name,
  repositoryUri: `${host}/${pathOfRepository(repository)}`,
  createdAt: repository.createdAt,
  imageTagMutability: "MUTABLE",
  ...repository.settings,
  imageScanningConfiguration: repository.settings.imageScanningConfiguration ?? { scanOnPush: false },
  encryptionConfiguration: repository.settings.encryptionConfiguration ?? { encryptionType: "AES256" },
});

/** Whether a tag that is taken stays with its image. */
export function isTagImmutable({ settings }: Repository, tag: string): boolean {
  const { imageTagMutability: mutability = "MUTABLE", imageTagMutabilityExclusionFilters: filters = [] } = settings;
  const isExcluded = filters.some(({ filter }) => matchesWildcard(filter, tag));
  if (mutability === "IMMUTABLE") return true;
  if (mutability === "IMMUTABLE_WITH_EXCLUSION") return !isExcluded;
  return mutability === "MUTABLE_WITH_EXCLUSION" && isExcluded;
}

/** The repository's own policy; undefined: it has none, or there is no such repository. */
export const repositoryPolicyOf = async (read: Reader, name: RepositoryName): Promise<string | undefined> =>
  (await findRepository(read, name))?.policy;
