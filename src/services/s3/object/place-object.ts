// The one moment, inside a transaction, in which something new becomes the object of its key.
import type { Writer } from "../../../database/store.ts";
import type { Random } from "../../../lib/random.ts";
import { requireBucket, type Bucket } from "../bucket/buckets.ts";
import { creationName, recordEvent, type EventSource } from "../notifications/record-event.ts";
import { writeVersion } from "../versions/write-version.ts";
import { checkWriteConditions, type WriteConditions } from "./conditions.ts";
import { findObject, type NewObject, type StoredObject } from "./objects.ts";

export interface PlacedObject {
  readonly bucket: Bucket;
  readonly object: StoredObject;
}

export interface PlaceParts extends EventSource {
  readonly account: string;
  readonly random: Random;
}

/** Throws where the bucket or the conditions no longer allow it. */
export async function placeObject(
  tx: Writer,
  ctx: PlaceParts,
  object: NewObject,
  conditions: WriteConditions,
): Promise<PlacedObject> {
  const bucket = await requireBucket(tx, ctx.account, object.bucket);
  const existing = await findObject(tx, object.bucket, object.key);
  checkWriteConditions(existing, object.key, conditions);
  const written = await writeVersion(tx, bucket, object, existing, ctx.random);
  await recordEvent(tx, ctx, bucket, { ...written, name: creationName(ctx.operation) }, object.modifiedAt);
  return { bucket, object: written };
}
