// Tags of users, roles, managed policies and instance profiles: at most 50, kept as JSON in their rows.
import { AwsError } from "../../lib/aws-error.ts";
import type { Tag } from "../../models/generated/iam.ts";
import { limitExceeded, pageOf } from "./context.ts";

const maxTags = 50;

export const tagsOf = (row: { readonly tags: string }): Tag[] => JSON.parse(row.tags) as Tag[];

/** Tags are shown where there are some. */
export const shownTags = (row: { readonly tags: string }): readonly Tag[] | undefined => {
  const tags = tagsOf(row);
  return tags.length > 0 ? tags : undefined;
};

/** JSON of the first tags of something; throws InvalidInput for a name given twice. */
export function firstTags(tags: readonly Tag[] = []): string {
  const names = tags.map(({ Key }) => Key.toLowerCase());
  if (new Set(names).size < names.length) {
    throw new AwsError("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  }
  return withTags({ tags: "[]" }, tags);
}

/** JSON of the row's tags and these. Names differ by more than case. */
export function withTags(row: { readonly tags: string }, added: readonly Tag[]): string {
  const merged = new Map([...tagsOf(row), ...added].map(({ Key, Value }) => [Key.toLowerCase(), { Key, Value }]));
  if (merged.size > maxTags) throw limitExceeded("The number of tags has reached the maximum limit.");
  return JSON.stringify([...merged.values()]);
}

export function withoutTags(row: { readonly tags: string }, names: readonly string[]): string {
  const removed = new Set(names.map((name) => name.toLowerCase()));
  return JSON.stringify(tagsOf(row).filter(({ Key }) => !removed.has(Key.toLowerCase())));
}

export function tagPage(
  row: { readonly tags: string },
  paging: { readonly Marker?: string | undefined; readonly MaxItems?: number | undefined },
) {
  const sorted = tagsOf(row).toSorted((a, b) => (a.Key < b.Key ? -1 : 1));
  const { items, rest } = pageOf(sorted, (tag) => tag.Key, paging);
  return { Tags: items, ...rest };
}
