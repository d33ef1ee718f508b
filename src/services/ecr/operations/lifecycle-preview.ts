// StartLifecyclePolicyPreview, GetLifecyclePolicyPreview: what a policy would expire, while nothing does.
import { AwsError } from "../../../lib/aws-error.ts";
import { operation, repositoryIn, type EcrContext } from "../context.ts";
import { afterOf, pageOf } from "../core/page.ts";
import { requireRepository, type Repository } from "../core/repositories.ts";
import { candidatesOf, expiringAmong, type Expiring } from "../lifecycle/expiring-images.ts";
import { checkLifecyclePolicy } from "../lifecycle/lifecycle-policy.ts";
import type { ImageIdentifier } from "../../../models/generated/ecr.ts";

const defaultPage = 100;

/** Where it is kept among the registry's settings, until the repository goes. */
export const previewSetting = ({ uid }: Repository): string => `lifecycle-preview/${uid}`;

const named = ({ account, name }: Repository) => ({ registryId: account, repositoryName: name });

const startPreview = operation("StartLifecyclePolicyPreview", async (input, ctx) => {
  const repository = await requireRepository(ctx.store.read, repositoryIn(ctx, input.repositoryName));
  const lifecyclePolicyText = input.lifecyclePolicyText ?? repository.lifecyclePolicy;
  if (lifecyclePolicyText === undefined)
    throw new AwsError(
      "LifecyclePolicyNotFoundException",
      `Lifecycle policy does not exist for the repository with name '${repository.name}' in the registry with id '${repository.account}'`,
    );
  checkLifecyclePolicy(lifecyclePolicyText);
  const { account, region } = ctx;
  const row = { account, region, name: previewSetting(repository), value: lifecyclePolicyText };
  await ctx.store.write((tx) =>
    tx
      .insertInto("ecr_registry_settings")
      .values(row)
      .onConflict((conflict) => conflict.columns(["account", "region", "name"]).doUpdateSet({ value: row.value }))
      .execute(),
  );
  return { ...named(repository), lifecyclePolicyText, status: "IN_PROGRESS" as const };
});

async function previewed(ctx: EcrContext, repository: Repository): Promise<string> {
  const row = await ctx.store.read
    .selectFrom("ecr_registry_settings")
    .select("value")
    .where("account", "=", ctx.account)
    .where("region", "=", ctx.region)
    .where("name", "=", previewSetting(repository))
    .executeTakeFirst();
  if (row) return row.value;
  throw new AwsError(
    "LifecyclePolicyPreviewNotFoundException",
    `Lifecycle policy preview does not exist for the repository with name '${repository.name}' in the registry with id '${repository.account}'`,
  );
}

const isAsked = (ids: readonly ImageIdentifier[] | undefined, { digest, tags }: Expiring): boolean =>
  ids === undefined ||
  ids.some(
    ({ imageDigest, imageTag }) => imageDigest === digest || (imageTag !== undefined && tags.includes(imageTag)),
  );

const getPreview = operation("GetLifecyclePolicyPreview", async (input, ctx) => {
  const repository = await requireRepository(ctx.store.read, repositoryIn(ctx, input.repositoryName));
  const lifecyclePolicyText = await previewed(ctx, repository);
  const candidates = await candidatesOf(ctx.store.read, repository.uid);
  const all = expiringAmong(checkLifecyclePolicy(lifecyclePolicyText), candidates, ctx.clock.now());
  const status = input.filter?.tagStatus ?? "ANY";
  const shown = all
    .filter((image) => isAsked(input.imageIds, image))
    .filter(({ tags }) => status === "ANY" || (status === "TAGGED") === tags.length > 0)
    .sort((one, other) => (one.digest < other.digest ? -1 : 1));
  const after = afterOf(input) ?? "";
  const size = input.maxResults ?? defaultPage;
  const { items, ...rest } = pageOf(
    shown.filter(({ digest }) => digest > after).slice(0, size + 1),
    size,
    ({ digest }) => digest,
  );
  return {
    ...named(repository),
    lifecyclePolicyText,
    status: "COMPLETE" as const,
    previewResults: items.map((image) => ({
      ...(image.tags.length > 0 && { imageTags: image.tags }),
      imageDigest: image.digest,
      imagePushedAt: image.pushedAt,
      action: { type: "EXPIRE" as const },
      appliedRulePriority: image.rulePriority,
    })),
    summary: { expiringImageTotalCount: all.length },
    ...rest,
  };
});

export const lifecyclePreviewOperations = [startPreview, getPreview];
