// Hands blobs to the collector of objects (services/s3), which removes bytes a minute after nobody needs them, and minds backups.
import type { Writer } from "../../../database/store.ts";

export async function addGarbage(tx: Writer, blobIds: readonly string[], nowMs: number): Promise<void> {
  if (blobIds.length === 0) return;
  await tx
    .insertInto("object_garbage")
    .values(blobIds.map((blob_id) => ({ blob_id, since: nowMs })))
    .onConflict((conflict) => conflict.column("blob_id").doNothing())
    .execute();
}
