// Which images a lifecycle policy expires: rules by priority, an image that a rule selects is out of reach for the later ones, and
// images that a list needs stay. https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
import type { Reader } from "../../../database/store.ts";
import { tagsOfImages } from "../core/images.ts";
import { matchesWildcard } from "../core/wildcard.ts";
import type { LifecycleRule } from "./lifecycle-policy.ts";

export interface Candidate {
  readonly digest: string;
  readonly tags: readonly string[];
  readonly pushedAt: Date;
}

export interface Expiring extends Candidate {
  readonly rulePriority: number;
}

const dayMs = 24 * 3_600_000;

function isSelected({ tagStatus, tagPrefixes, tagPatterns }: LifecycleRule, { tags }: Candidate): boolean {
  if (tagStatus === "any") return true;
  if (tagStatus === "untagged") return tags.length === 0;
  return (
    tags.length > 0 &&
    tagPrefixes.every((prefix) => tags.some((tag) => tag.startsWith(prefix))) &&
    tagPatterns.every((pattern) => tags.some((tag) => matchesWildcard(pattern, tag)))
  );
}

/** The oldest first. */
export function expiringAmong(
  rules: readonly LifecycleRule[],
  images: readonly Candidate[],
  now: Date,
): readonly Expiring[] {
  const newestFirst = [...images].sort(
    (one, other) => other.pushedAt.getTime() - one.pushedAt.getTime() || (one.digest < other.digest ? -1 : 1),
  );
  let left: readonly Candidate[] = newestFirst;
  const expiring: Expiring[] = [];
  for (const rule of rules) {
    const selected = left.filter((image) => isSelected(rule, image));
    left = left.filter((image) => !selected.includes(image));
    const { keepCount, keepDays, priority: rulePriority } = rule;
    const tooOld = now.getTime() - (keepDays ?? 0) * dayMs;
    const gone =
      keepCount === undefined
        ? selected.filter(({ pushedAt }) => pushedAt.getTime() <= tooOld)
        : selected.slice(keepCount);
    expiring.push(...gone.map((image) => ({ ...image, rulePriority })));
  }
  return expiring.sort((one, other) => one.pushedAt.getTime() - other.pushedAt.getTime());
}

/** Images of the repository that no list needs. */
export async function candidatesOf(read: Reader, uid: string): Promise<readonly Candidate[]> {
  const rows = await read
    .selectFrom("ecr_images as image")
    .select(["image.digest", "image.pushed_at"])
    .where("image.repository_uid", "=", uid)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom("ecr_references as list")
            .select("list.digest")
            .whereRef("list.repository_uid", "=", "image.repository_uid")
            .whereRef("list.needed", "=", "image.digest")
            .where("list.kind", "=", "image"),
        ),
      ),
    )
    .execute();
  const tags = await tagsOfImages(
    read,
    uid,
    rows.map(({ digest }) => digest),
  );
  return rows.map((row) => ({
    digest: row.digest,
    tags: tags.get(row.digest) ?? [],
    pushedAt: new Date(row.pushed_at),
  }));
}
