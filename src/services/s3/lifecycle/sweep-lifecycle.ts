// Carries out the lifecycles of all buckets. Safe to repeat and to break off: each deletion looks again at what it deletes.
import type { LifecycleRule } from "../../../models/generated/s3.ts";
import type { Store, Writer } from "../../../database/store.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { Random } from "../../../lib/random.ts";
import { findBucket, type Bucket } from "../bucket/buckets.ts";
import { prefixEnd } from "../listing/key-order.ts";
import { discardUpload } from "../multipart/uploads.ts";
import type { Destinations } from "../notifications/destinations.ts";
import { recordRemoval } from "../notifications/record-event.ts";
import { findObject } from "../object/objects.ts";
import { deleteCurrent, deleteVersion } from "../versions/delete-version.ts";
import { findKeptVersion } from "../versions/version-rows.ts";
import { dueDeletions, type DueDeletion } from "./due-deletions.ts";
import { lifecycle, lifecycleOf } from "./lifecycle-configuration.ts";
import { dueAfter, filterOf } from "./lifecycle-rules.ts";

export interface SweepParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly destinations?: Destinations | undefined;
}

/** Together in one transaction. */
const batchSize = 100;

/** Resolves to how many versions and uploads went. */
export async function sweepLifecycle(parts: SweepParts): Promise<number> {
  const { read } = parts.store;
  const rows = await read
    .selectFrom("bucket_settings")
    .select("bucket")
    .where("name", "=", lifecycle.name)
    .orderBy("bucket")
    .execute();
  let count = 0;
  for (const row of rows) {
    const bucket = await findBucket(read, row.bucket);
    const rules = (await lifecycleOf(read, row.bucket))?.Rules ?? [];
    if (!bucket) continue;
    for (const rule of rules) {
      if (rule.Status === "Enabled")
        count += (await sweepRule(parts, bucket, rule)) + (await abortUploads(parts, bucket, rule));
    }
  }
  return count;
}

async function sweepRule(parts: SweepParts, bucket: Bucket, rule: LifecycleRule): Promise<number> {
  if (!rule.Expiration && !rule.NoncurrentVersionExpiration) return 0;
  let count = 0;
  let batch: DueDeletion[] = [];
  const deleteBatch = async (): Promise<void> => {
    const due = batch;
    batch = [];
    if (due.length === 0) return;
    await parts.store.write(async (tx) => {
      const current = await findBucket(tx, bucket.name);
      if (!current) return;
      for (const deletion of due) await carryOut(tx, current, deletion, parts);
    });
    count += due.length;
  };
  for await (const due of dueDeletions(parts.store.read, bucket.name, rule, parts.clock.now())) {
    batch.push(due);
    if (batch.length === batchSize) await deleteBatch();
  }
  await deleteBatch();
  return count;
}

async function carryOut(
  tx: Writer,
  bucket: Bucket,
  { action, version }: DueDeletion,
  parts: SweepParts,
): Promise<void> {
  const { key, versionId, sequence, blobId } = version.object;
  const now = parts.clock.now();
  const current = await findObject(tx, bucket.name, key);
  if (action === "expire") {
    const isStillThere = current?.sequence === sequence && current.blobId === blobId;
    if (!isStillThere) return;
    const deletion = await deleteCurrent(tx, bucket, key, current, { now, random: parts.random });
    await recordRemoval(tx, parts, bucket, key, deletion, now, "LifecycleExpiration");
    return;
  }
  const kept = await findKeptVersion(tx, bucket.name, key, versionId);
  if (kept?.sequence !== sequence || kept.blobId !== blobId) return;
  // A marker that hides nothing is the newest version, with no object in front of it.
  if (action === "clear" && current) return;
  const deletion = await deleteVersion(tx, bucket, key, versionId, current, now);
  await recordRemoval(tx, parts, bucket, key, { ...deletion, isDeleteMarker: false }, now, "LifecycleExpiration");
}

async function abortUploads({ store, clock }: SweepParts, bucket: Bucket, rule: LifecycleRule): Promise<number> {
  const dayCount = rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation;
  if (dayCount === undefined) return 0;
  const { prefix } = filterOf(rule);
  const end = prefixEnd(prefix);
  let query = store.read
    .selectFrom("uploads")
    .select(["id", "initiated_at"])
    .where("bucket", "=", bucket.name)
    .where("key", ">=", prefix);
  if (end !== undefined) query = query.where("key", "<", end);
  const now = clock.now();
  const due = (await query.execute()).filter((row) => dueAfter(new Date(row.initiated_at), dayCount) <= now.getTime());
  for (const { id } of due) await store.write((tx) => discardUpload(tx, id, now));
  return due.length;
}
