// The moment in which a new blob becomes the object.
import { AwsError } from "../../../lib/aws-error.ts";
import type { Store } from "../../../database/store.ts";
import type { BlobStorage } from "../../../storage/storage.ts";
import { requireBucket } from "../bucket/buckets.ts";
import { checkWriteConditions, type WriteConditions } from "./conditions.ts";
import { findObject, saveObject, type StoredObject } from "./objects.ts";

/** Resolves once durable. Rejects, and removes the blob, where the bucket or the conditions no longer allow it. */
export async function switchObject(
  { store, storage }: { readonly store: Store; readonly storage: BlobStorage },
  account: string,
  object: StoredObject,
  conditions: WriteConditions = {},
): Promise<void> {
  try {
    await store.write(async (tx) => {
      await requireBucket(tx, account, object.bucket);
      const existing = await findObject(tx, object.bucket, object.key);
      checkWriteConditions(existing, object.key, conditions);
      await saveObject(tx, object, existing);
    });
  } catch (error) {
    // Refused: nothing points to the blob. After any other error the row may be on disk, and the sweeper decides.
    if (error instanceof AwsError) await storage.remove(object.blobId);
    throw error;
  }
}
