import { operation } from "../s3-context.ts";
import { replaceTags } from "./replace-tags.ts";

export const deleteObjectTagging = operation("DeleteObjectTagging", async (input, ctx) => {
  return replaceTags(input, ctx, []);
});
