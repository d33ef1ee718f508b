// What is set for a repository: mutability of tags, scanning, its policy, its lifecycle policy, its tags.
import { AwsError } from "../../../lib/aws-error.ts";
import type { Writer } from "../../../database/store.ts";
import { operation, repositoryIn, type EcrContext } from "../context.ts";
import { invalidParameter, repositoryNotFound } from "../core/errors.ts";
import { requireRepository, type Repository, type RepositorySettings } from "../core/repositories.ts";
import { checkExclusions, checkPolicy, checkTags } from "./checks.ts";
import { checkLifecyclePolicy } from "../lifecycle/lifecycle-policy.ts";

type Change = Partial<Record<"settings" | "tags" | "policy" | "lifecycle_policy", string | null>>;

/** Reads and writes in one transaction. */
const change = (ctx: EcrContext, name: string, work: (repository: Repository) => Change): Promise<Repository> =>
  ctx.store.write(async (tx) => {
    const repository = await requireRepository(tx, repositoryIn(ctx, name));
    await save(tx, repository, work(repository));
    return repository;
  });

const save = (tx: Writer, { uid }: Repository, { settings, tags, ...texts }: Change): Promise<unknown> =>
  tx
    .updateTable("ecr_repositories")
    .set({ ...texts, ...(settings != null && { settings }), ...(tags != null && { tags }) })
    .where("uid", "=", uid)
    .execute();

const withSettings = ({ settings }: Repository, changed: RepositorySettings): Change => ({
  settings: JSON.stringify({ ...settings, ...changed }),
});

const named = ({ account, name }: Repository) => ({ registryId: account, repositoryName: name });

const putImageTagMutability = operation("PutImageTagMutability", async (input, ctx) => {
  const { imageTagMutability, imageTagMutabilityExclusionFilters } = input;
  checkExclusions(imageTagMutability, imageTagMutabilityExclusionFilters);
  const changed = { imageTagMutability, imageTagMutabilityExclusionFilters };
  const repository = await change(ctx, input.repositoryName, (old) => withSettings(old, changed));
  return { ...named(repository), ...changed };
});

const putImageScanningConfiguration = operation("PutImageScanningConfiguration", async (input, ctx) => {
  const { imageScanningConfiguration } = input;
  const repository = await change(ctx, input.repositoryName, (old) =>
    withSettings(old, { imageScanningConfiguration }),
  );
  return { ...named(repository), imageScanningConfiguration };
});

const noPolicy = ({ name, account }: Repository): AwsError =>
  new AwsError(
    "RepositoryPolicyNotFoundException",
    `Repository policy does not exist for the repository with name '${name}' in the registry with id '${account}'`,
  );

const setRepositoryPolicy = operation("SetRepositoryPolicy", async (input, ctx) => {
  const { policyText } = input;
  checkPolicy(policyText);
  const repository = await change(ctx, input.repositoryName, () => ({ policy: policyText }));
  return { ...named(repository), policyText };
});

const getRepositoryPolicy = operation("GetRepositoryPolicy", async (input, ctx) => {
  const repository = await requireRepository(ctx.store.read, repositoryIn(ctx, input.repositoryName));
  if (repository.policy === undefined) throw noPolicy(repository);
  return { ...named(repository), policyText: repository.policy };
});

const deleteRepositoryPolicy = operation("DeleteRepositoryPolicy", async (input, ctx) => {
  const repository = await change(ctx, input.repositoryName, (old) => {
    if (old.policy === undefined) throw noPolicy(old);
    return { policy: null };
  });
  return { ...named(repository), policyText: repository.policy };
});

const noLifecycle = ({ name, account }: Repository): AwsError =>
  new AwsError(
    "LifecyclePolicyNotFoundException",
    `Lifecycle policy does not exist for the repository with name '${name}' in the registry with id '${account}'`,
  );

const putLifecyclePolicy = operation("PutLifecyclePolicy", async (input, ctx) => {
  const { lifecyclePolicyText } = input;
  checkLifecyclePolicy(lifecyclePolicyText);
  const repository = await change(ctx, input.repositoryName, () => ({ lifecycle_policy: lifecyclePolicyText }));
  return { ...named(repository), lifecyclePolicyText };
});

const getLifecyclePolicy = operation("GetLifecyclePolicy", async (input, ctx) => {
  const repository = await requireRepository(ctx.store.read, repositoryIn(ctx, input.repositoryName));
  if (repository.lifecyclePolicy === undefined) throw noLifecycle(repository);
  return { ...named(repository), lifecyclePolicyText: repository.lifecyclePolicy };
});

const deleteLifecyclePolicy = operation("DeleteLifecyclePolicy", async (input, ctx) => {
  const repository = await change(ctx, input.repositoryName, (old) => {
    if (old.lifecyclePolicy === undefined) throw noLifecycle(old);
    return { lifecycle_policy: null };
  });
  return { ...named(repository), lifecyclePolicyText: repository.lifecyclePolicy };
});

/** Throws what ECR says to an ARN of something else. */
function nameInArn(arn: string, { account, region }: EcrContext): string {
  const [, where, whose, name] = /^arn:aws:ecr:([a-z0-9-]+):(\d{12}):repository\/(.+)$/.exec(arn) ?? [];
  if (where === undefined || whose === undefined || name === undefined)
    throw invalidParameter("Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'");
  if (where !== region || whose !== account) throw repositoryNotFound(name, whose);
  return name;
}

const tagResource = operation("TagResource", async (input, ctx) => {
  await change(ctx, nameInArn(input.resourceArn, ctx), ({ tags }) => ({
    tags: JSON.stringify(checkTags(tags, input.tags)),
  }));
  return {};
});

const untagResource = operation("UntagResource", async (input, ctx) => {
  await change(ctx, nameInArn(input.resourceArn, ctx), ({ tags }) => ({
    tags: JSON.stringify(tags.filter(({ Key }) => !input.tagKeys.includes(Key))),
  }));
  return {};
});

const listTagsForResource = operation("ListTagsForResource", async (input, ctx) => {
  const name = nameInArn(input.resourceArn, ctx);
  return { tags: (await requireRepository(ctx.store.read, repositoryIn(ctx, name))).tags };
});

export const repositorySettingOperations = [
  putImageTagMutability,
  putImageScanningConfiguration,
  setRepositoryPolicy,
  getRepositoryPolicy,
  deleteRepositoryPolicy,
  putLifecyclePolicy,
  getLifecyclePolicy,
  deleteLifecyclePolicy,
  tagResource,
  untagResource,
  listTagsForResource,
];
