import { operation } from "../s3-context.ts";
import { replaceTags } from "./replace-tags.ts";
import { checkedTags } from "./tags.ts";

export const putObjectTagging = operation("PutObjectTagging", async (input, ctx) => {
  return replaceTags(input, ctx, checkedTags(input.Tagging.TagSet));
});
