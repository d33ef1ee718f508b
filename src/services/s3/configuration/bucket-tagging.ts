import type { Tag } from "../../../models/generated/s3.ts";
import { operation } from "../s3-context.ts";
import { checkedTags } from "../tagging/tags.ts";
import { deleteSetting, putSetting, requireSetting, setting } from "./setting.ts";

export const tagging = setting<readonly Tag[]>("tagging", "NoSuchTagSet", "The TagSet does not exist");

const maxBucketTags = 50;

export const checkedBucketTags = (tags: readonly Tag[]): readonly Tag[] => checkedTags(tags, "Bucket", maxBucketTags);

export const bucketTagging = [
  operation("PutBucketTagging", (input, ctx) =>
    putSetting(input, ctx, tagging, checkedBucketTags(input.Tagging.TagSet)),
  ),
  operation("GetBucketTagging", async (input, ctx) => ({ TagSet: await requireSetting(input, ctx, tagging) })),
  operation("DeleteBucketTagging", (input, ctx) => deleteSetting(input, ctx, tagging)),
];
