// The one moment, inside a transaction, in which something new becomes the object of its key.
import type { Writer } from "../../../database/store.ts";
import type { Random } from "../../../lib/random.ts";
import { requireBucket, type Bucket } from "../bucket/buckets.ts";
import { writeVersion } from "../versions/write-version.ts";
import { checkWriteConditions, type WriteConditions } from "./conditions.ts";
import { findObject, type NewObject, type StoredObject } from "./objects.ts";

export interface PlacedObject {
  readonly bucket: Bucket;
  readonly object: StoredObject;
}

/** Throws where the bucket or the conditions no longer allow it. */
export async function placeObject(
  tx: Writer,
  { account, random }: { readonly account: string; readonly random: Random },
  object: NewObject,
  conditions: WriteConditions,
): Promise<PlacedObject> {
  const bucket = await requireBucket(tx, account, object.bucket);
  const existing = await findObject(tx, object.bucket, object.key);
  checkWriteConditions(existing, object.key, conditions);
  return { bucket, object: await writeVersion(tx, bucket, object, existing, random) };
}
