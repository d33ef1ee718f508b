// Rules of settings and tags that the model cannot express.
import { AwsError } from "../../../lib/aws-error.ts";
import type { ImageTagMutability, ImageTagMutabilityExclusionFilter, Tag } from "../../../models/generated/ecr.ts";
import { compilePolicy, PolicyProblem } from "../../iam/index.ts";
import { invalidParameter } from "../core/errors.ts";

const maxTags = 50;
const invalidTag = (message: string): AwsError => new AwsError("InvalidTagParameterException", message);

/** The tags with the given ones over them. Throws InvalidTagParameterException, TooManyTagsException. */
export function checkTags(before: readonly Tag[], given: readonly Tag[]): readonly Tag[] {
  const keys = given.map(({ Key }) => Key);
  if (keys.some((key) => key === "" || key.length > 128)) throw invalidTag("A tag's key has 1 to 128 characters.");
  if (keys.some((key) => key.toLowerCase().startsWith("aws:"))) throw invalidTag("Tag keys cannot start with aws:.");
  if (given.some(({ Value }) => Value.length > 256)) throw invalidTag("A tag's value has at most 256 characters.");
  if (new Set(keys).size < keys.length) throw invalidTag("Duplicate tag keys were given.");
  const tags = [...before.filter(({ Key }) => !keys.includes(Key)), ...given];
  if (tags.length > maxTags)
    throw new AwsError("TooManyTagsException", `A repository can have at most ${maxTags} tags.`);
  return tags;
}

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html */
export function checkExclusions(
  mutability: ImageTagMutability,
  filters: readonly ImageTagMutabilityExclusionFilter[] | undefined,
): void {
  const takesFilters = mutability.endsWith("_WITH_EXCLUSION");
  if (takesFilters && !filters?.length)
    throw invalidParameter(`Invalid parameter: ${mutability} needs imageTagMutabilityExclusionFilters.`);
  if (!takesFilters && filters?.length)
    throw invalidParameter(`Invalid parameter: ${mutability} takes no imageTagMutabilityExclusionFilters.`);
  if (filters?.some(({ filter }) => filter.split("*").length > 3))
    throw invalidParameter("Invalid parameter: a filter has at most two wildcards.");
}

/** Throws InvalidParameterException. */
export function checkPolicy(text: string): void {
  try {
    compilePolicy(text, "any");
  } catch (error) {
    if (error instanceof PolicyProblem)
      throw invalidParameter(
        `Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided' (${error.message})`,
      );
    throw error;
  }
}
