// Blobs that jobs need and no object may hold: pinned, so that S3's collector and sweeper let them be, until they become garbage.
import type { Writer } from "../../../database/store.ts";

export async function keepBlob(tx: Writer, owner: string, blobId: string): Promise<void> {
  await tx
    .insertInto("object_pins")
    .values({ blob_id: blobId, owner })
    .onConflict((conflict) => conflict.columns(["blob_id", "owner"]).doNothing())
    .execute();
}

/** Of everything the owner pinned; objects keep their blobs all the same. */
export async function letGo(tx: Writer, owner: string): Promise<void> {
  await tx.deleteFrom("object_pins").where("owner", "=", owner).execute();
}

/** Blobs that were never an object's and that nobody needs any more: S3's collector removes them. */
export async function discardBlobs(tx: Writer, blobIds: readonly string[], now: Date): Promise<void> {
  for (const blobId of blobIds) {
    await tx.deleteFrom("object_pins").where("blob_id", "=", blobId).execute();
    await tx
      .insertInto("object_garbage")
      .values({ blob_id: blobId, since: now.getTime() })
      .onConflict((conflict) => conflict.column("blob_id").doNothing())
      .execute();
  }
}
