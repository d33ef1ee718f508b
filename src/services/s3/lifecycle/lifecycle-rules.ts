// Rules of a bucket's lifecycle, as they are given and as the sweep reads them.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
import type { LifecycleExpiration, LifecycleRule, Tag } from "../../../models/generated/s3.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import { minutes } from "../../../lib/clock.ts";
import type { Random } from "../../../lib/random.ts";
import { invalidRequest, malformedXml } from "../errors.ts";
import type { StoredObject } from "../object/objects.ts";

const dayMs = minutes(24 * 60);
const maxRules = 1000;
const maxIdLength = 255;

const actionNames = [
  "Expiration",
  "Transitions",
  "NoncurrentVersionTransitions",
  "NoncurrentVersionExpiration",
  "AbortIncompleteMultipartUpload",
] as const;

/** Rules as they are stored: each with its id. Throws what S3 says of those that make no sense. */
export function checkedRules(rules: readonly LifecycleRule[], random: Random): readonly LifecycleRule[] {
  if (rules.length === 0 || rules.length > maxRules) throw malformedXml();
  const seen = new Set<string>();
  return rules.map((rule) => {
    const ID = rule.ID || random.uuid();
    if (ID.length > maxIdLength) throw invalid("ID length should not exceed allowed limit of 255");
    if (seen.has(ID)) throw invalid("Rule ID must be unique. Found same ID for more than one rule");
    seen.add(ID);
    checkRule(rule);
    return { ...rule, ID };
  });
}

function checkRule(rule: LifecycleRule): void {
  const status: string = rule.Status;
  if (status !== "Enabled" && status !== "Disabled") throw malformedXml();
  // The older form has its prefix in the rule itself.
  const isBothOrNeither = (rule.Prefix === undefined) === (rule.Filter === undefined);
  if (isBothOrNeither) throw malformedXml();
  if (actionNames.every((name) => rule[name] === undefined)) {
    throw invalidRequest("At least one action needs to be specified in a rule.");
  }
  const { Expiration, NoncurrentVersionExpiration: noncurrent, AbortIncompleteMultipartUpload: abort } = rule;
  if (Expiration) checkExpiration(Expiration);
  for (const { Date: date } of rule.Transitions ?? []) checkMidnight(date, "Transition");
  if (noncurrent)
    checkPositive(noncurrent.NoncurrentDays ?? 0, "'NoncurrentDays' for NoncurrentVersionExpiration action");
  if (abort)
    checkPositive(abort.DaysAfterInitiation ?? 0, "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action");
}

function checkExpiration({ Date: date, Days, ExpiredObjectDeleteMarker }: LifecycleExpiration): void {
  const given = [date, Days, ExpiredObjectDeleteMarker].filter((member) => member !== undefined);
  if (given.length !== 1) throw malformedXml();
  checkPositive(Days, "'Days' for Expiration action");
  checkMidnight(date, "Expiration");
}

function checkPositive(count: number | undefined, what: string): void {
  if (count === undefined || count > 0) return;
  throw invalid(`${what} must be a positive integer`);
}

function checkMidnight(date: Date | undefined, action: string): void {
  if (date === undefined || date.getTime() % dayMs === 0) return;
  throw invalid(`'Date' must be at midnight GMT for ${action} action`);
}

const invalid = (message: string): AwsError => new AwsError("InvalidArgument", message);

export interface RuleFilter {
  readonly prefix: string;
  readonly tags: readonly Tag[];
  readonly largerThan: number;
  readonly smallerThan: number;
}

export function filterOf({ Prefix, Filter = {} }: LifecycleRule): RuleFilter {
  // What stands alone in a filter, or together in its And.
  const { Tag: tag, And } = Filter;
  const { Prefix: prefix, ObjectSizeGreaterThan = -1, ObjectSizeLessThan = Number.POSITIVE_INFINITY } = And ?? Filter;
  const tags = And?.Tags ?? (tag ? [tag] : []);
  return { prefix: Prefix ?? prefix ?? "", tags, largerThan: ObjectSizeGreaterThan, smallerThan: ObjectSizeLessThan };
}

/** Delete markers have neither tags nor a size to be filtered by. */
export const takesMarkers = ({ tags, largerThan, smallerThan }: RuleFilter): boolean =>
  tags.length === 0 && largerThan === -1 && smallerThan === Number.POSITIVE_INFINITY;

export const takes = (filter: RuleFilter, { key, sizeBytes, tags }: StoredObject): boolean =>
  key.startsWith(filter.prefix) &&
  sizeBytes > filter.largerThan &&
  sizeBytes < filter.smallerThan &&
  filter.tags.every((wanted) => tags.some((tag) => tag.Key === wanted.Key && tag.Value === wanted.Value));

/** The midnight (UTC) after so many days: then what is counted from `since` is due. */
export const dueAfter = (since: Date, dayCount: number): number =>
  Math.ceil((since.getTime() + dayCount * dayMs) / dayMs) * dayMs;
