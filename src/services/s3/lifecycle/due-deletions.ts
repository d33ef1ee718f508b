// What a lifecycle rule wants gone, found in one walk over the versions below its prefix.
import type { LifecycleRule } from "../../../models/generated/s3.ts";
import type { Reader } from "../../../database/store.ts";
import { listVersions, type ListedVersion } from "../versions/list-versions.ts";
import { dueAfter, filterOf, takes, takesMarkers, type RuleFilter } from "./lifecycle-rules.ts";

/** "expire": the current object, as a DELETE would; "remove": a version for good; "clear": a delete marker that hides nothing. */
export interface DueDeletion {
  readonly action: "expire" | "remove" | "clear";
  readonly version: ListedVersion;
}

const pageSize = 250;

export async function* dueDeletions(
  reader: Reader,
  bucket: string,
  rule: LifecycleRule,
  now: Date,
): AsyncGenerator<DueDeletion> {
  const filter = filterOf(rule);
  for await (const versions of versionsByKey(reader, bucket, filter.prefix)) {
    const [newest, ...older] = versions;
    if (newest?.isLatest) yield* dueNewest(newest, older.length === 0, rule, filter, now);
    yield* dueNoncurrent(newest?.isLatest ? older : versions, rule, filter, now);
  }
}

/** All versions of a key at once, the newest first. */
async function* versionsByKey(
  reader: Reader,
  bucket: string,
  prefix: string,
): AsyncGenerator<readonly ListedVersion[]> {
  let after: { readonly key: string; readonly versionId: string | undefined } | undefined;
  let ofKey: ListedVersion[] = [];
  do {
    const page = await listVersions(reader, { bucket, prefix, delimiter: "", after }, pageSize);
    for (const version of page.versions) {
      if (ofKey.length > 0 && ofKey[0]?.object.key !== version.object.key) {
        yield ofKey;
        ofKey = [];
      }
      ofKey.push(version);
    }
    after = page.next;
  } while (after);
  if (ofKey.length > 0) yield ofKey;
}

function* dueNewest(
  newest: ListedVersion,
  isAlone: boolean,
  { Expiration }: LifecycleRule,
  filter: RuleFilter,
  now: Date,
): Generator<DueDeletion> {
  if (!Expiration) return;
  const { Days, Date: date, ExpiredObjectDeleteMarker } = Expiration;
  const isDue =
    (Days !== undefined && dueAfter(newest.object.modifiedAt, Days) <= now.getTime()) ||
    (date !== undefined && date.getTime() <= now.getTime());
  if (newest.isDeleteMarker) {
    const isUnwanted = isAlone && takesMarkers(filter) && (isDue || ExpiredObjectDeleteMarker === true);
    if (isUnwanted) yield { action: "clear", version: newest };
  } else if (isDue && takes(filter, newest.object)) {
    yield { action: "expire", version: newest };
  }
}

function* dueNoncurrent(
  versions: readonly ListedVersion[],
  { NoncurrentVersionExpiration: expiration }: LifecycleRule,
  filter: RuleFilter,
  now: Date,
): Generator<DueDeletion> {
  if (!expiration) return;
  const { NoncurrentDays = 1, NewerNoncurrentVersions: keptCount = 0 } = expiration;
  for (const version of versions.slice(keptCount)) {
    const { supersededAt, isDeleteMarker, object } = version;
    const isDue = supersededAt !== undefined && dueAfter(supersededAt, NoncurrentDays) <= now.getTime();
    if (isDue && (isDeleteMarker ? takesMarkers(filter) : takes(filter, object))) yield { action: "remove", version };
  }
}
