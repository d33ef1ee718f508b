// Lifecycle policies of repositories: read and checked. https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
import { invalidParameter } from "../core/errors.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface LifecycleRule {
  readonly priority: number;
  readonly tagStatus: "tagged" | "untagged" | "any";
  /** Tags that count begin so, or are so with * for anything. */
  readonly tagPrefixes: readonly string[];
  readonly tagPatterns: readonly string[];
  /** Keep the newest so many … */
  readonly keepCount?: number;
  /** … or those pushed in so many days. */
  readonly keepDays?: number;
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const refused = (why: string): never => {
  throw invalidParameter(
    `Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: ${why}'`,
  );
};

function parsed(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    if (isFields(value)) return value;
  } catch {
    // Told below.
  }
  return refused("the policy is no JSON object");
}

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === "string" && each !== "") ? value : [];

const wholeNumber = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 1 ? value : undefined;

const isTagStatus = (value: unknown): value is LifecycleRule["tagStatus"] =>
  value === "tagged" || value === "untagged" || value === "any";

function limitOf(selection: Fields): Pick<LifecycleRule, "keepCount" | "keepDays"> {
  const count = wholeNumber(selection["countNumber"]);
  if (count === undefined) return refused("countNumber must be a whole number above 0");
  if (selection["countType"] === "imageCountMoreThan") {
    if (selection["countUnit"] !== undefined) return refused("imageCountMoreThan takes no countUnit");
    return { keepCount: count };
  }
  if (selection["countType"] !== "sinceImagePushed") return refused("countType is not known");
  return selection["countUnit"] === "days" ? { keepDays: count } : refused("sinceImagePushed needs countUnit days");
}

function ruleOf(value: unknown): LifecycleRule {
  if (!isFields(value) || !isFields(value["selection"])) return refused("a rule needs a selection");
  const { selection } = value;
  const priority = wholeNumber(value["rulePriority"]);
  if (priority === undefined) return refused("rulePriority must be a whole number above 0");
  if (!isFields(value["action"]) || value["action"]["type"] !== "expire") return refused("the action must be expire");
  const { tagStatus } = selection;
  if (!isTagStatus(tagStatus)) return refused("tagStatus must be tagged, untagged or any");
  const tagPrefixes = texts(selection["tagPrefixList"]);
  const tagPatterns = texts(selection["tagPatternList"]);
  const lists = [tagPrefixes, tagPatterns].filter((list) => list.length > 0).length;
  if (tagStatus === "tagged" && lists !== 1) return refused("tagged needs tagPrefixList or tagPatternList");
  if (tagStatus !== "tagged" && lists > 0) return refused(`${tagStatus} takes no list of tags`);
  return { priority, tagStatus, tagPrefixes, tagPatterns, ...limitOf(selection) };
}

/** In the order of their priority. Throws InvalidParameterException. */
export function checkLifecyclePolicy(text: string): readonly LifecycleRule[] {
  const { rules } = parsed(text);
  if (!Array.isArray(rules) || rules.length === 0) return refused("rules must hold at least one rule");
  const read = rules.map(ruleOf).sort((one, other) => one.priority - other.priority);
  if (new Set(read.map(({ priority }) => priority)).size < read.length) return refused("rulePriority must be unique");
  const any = read.findIndex(({ tagStatus }) => tagStatus === "any");
  if (any >= 0 && any < read.length - 1) return refused("a rule for any must have the highest rulePriority");
  return read;
}
