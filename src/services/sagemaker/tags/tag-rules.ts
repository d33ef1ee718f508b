// What holds for tags of every kind.
import { validationError } from "../../../lib/aws-error.ts";
import type { Tag } from "../../resource-definition.ts";

const maxTags = 50;

/** Throws when the tags of one request contradict each other or are AWS's own. */
export function checkNewTags(tags: readonly Tag[]): void {
  const keys = tags.map((tag) => tag.Key);
  const twice = keys.find((key, at) => keys.indexOf(key) !== at);
  if (twice !== undefined) throw validationError(`Duplicate tag keys found: ${twice}`);
  const reserved = keys.find((key) => /^aws:/i.test(key));
  if (reserved !== undefined)
    throw validationError(`The tag key "${reserved}" begins with "aws:", which is reserved for AWS's own use.`);
  checkTagCount(tags);
}

export function checkTagCount(tags: readonly Tag[]): void {
  if (tags.length > maxTags)
    throw validationError(`A resource has at most ${maxTags} tags; this one would have ${tags.length}.`);
}
