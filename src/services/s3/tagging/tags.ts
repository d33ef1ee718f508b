// Tags of objects: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
import type { Tag } from "../../../models/generated/s3.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import { invalidArgument } from "../errors.ts";
import { compareKeys } from "../listing/key-order.ts";

const maxTags = 10;
const maxKeyLength = 128;
const maxValueLength = 256;

/** The x-amz-tagging header: URL query parameters. */
export function tagsFromHeader(header: string | undefined): readonly Tag[] {
  if (header === undefined || header === "") return [];
  if (!isDecodable(header)) {
    throw invalidArgument(
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
      "x-amz-tagging",
      header,
    );
  }
  return checkedTags(Array.from(new URLSearchParams(header), ([Key, Value]) => ({ Key, Value })));
}

/** In the order of their keys. */
export function checkedTags(tags: readonly Tag[], what = "Object", maxCount = maxTags): readonly Tag[] {
  if (tags.length > maxCount) throw new AwsError("BadRequest", `${what} tags cannot be greater than ${maxCount}`);
  const seen = new Set<string>();
  for (const { Key, Value } of tags) {
    if (seen.has(Key)) throw invalidTag("Cannot provide multiple Tags with the same key", Key);
    seen.add(Key);
    if (Key.length === 0 || Key.length > maxKeyLength) throw invalidTag("The TagKey you have provided is invalid", Key);
    if (Value.length > maxValueLength) throw invalidTag("The TagValue you have provided is invalid", Key);
  }
  return tags.toSorted((a, b) => compareKeys(a.Key, b.Key));
}

const invalidTag = (message: string, key: string): AwsError =>
  new AwsError("InvalidTag", message, { fields: { TagKey: key } });

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
