// Removes blobs that nothing needs: those that lost their row, and those that a crash left without ever having one.
import { areBlobsHeld } from "../../database/hold.ts";
import type { Store, Writer } from "../../database/store.ts";
import type { BlobStorage } from "../../storage/storage.ts";

/** Requests that looked a blob up just before it lost its row still find it. */
const graceMs = 60_000;
/** Longer than a request takes from its blob to its row. */
const orphanAgeMs = 3_600_000;
const batchSize = 500;

/** Removes garbage that nobody needs any more; resolves to how many blobs went. */
export async function collectGarbage(store: Store, storage: BlobStorage, now: Date): Promise<number> {
  let removed = 0;
  for (;;) {
    // Claimed for good first: afterwards no copy or pin can get hold of the blob. A crash in between leaves an orphan.
    const claim = await store.write((tx) => claimGarbage(tx, now));
    await Promise.all(claim.blobIds.map((blobId) => storage.remove(blobId)));
    removed += claim.blobIds.length;
    if (claim.isLast) return removed;
  }
}

interface Claim {
  readonly blobIds: readonly string[];
  readonly isLast: boolean;
}

async function claimGarbage(tx: Writer, now: Date): Promise<Claim> {
  if (await areBlobsHeld(tx, now)) return { blobIds: [], isLast: true };
  const due = await tx
    .selectFrom("object_garbage")
    .select("blob_id")
    .where("since", "<=", now.getTime() - graceMs)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb.selectFrom("object_pins").select("owner").whereRef("object_pins.blob_id", "=", "object_garbage.blob_id"),
        ),
      ),
    )
    .orderBy("since")
    .limit(batchSize)
    .execute();
  const ids = due.map((row) => row.blob_id);
  if (ids.length === 0) return { blobIds: [], isLast: true };
  const needed = await withRow(tx, ids);
  // One that a copy still needs becomes garbage again when the copy goes.
  await tx.deleteFrom("object_garbage").where("blob_id", "in", ids).execute();
  return { blobIds: ids.filter((id) => !needed.has(id)), isLast: ids.length < batchSize };
}

/** Removes blobs older than an hour that no row speaks of; resolves to how many went. */
export async function sweepOrphans(store: Store, storage: BlobStorage, now: Date): Promise<number> {
  if (await areBlobsHeld(store.read, now)) return 0;
  let removed = 0;
  let batch: string[] = [];
  const sweep = async (): Promise<void> => {
    const known = await knownBlobs(store, batch);
    const orphans = batch.filter((id) => !known.has(id));
    await Promise.all(orphans.map((id) => storage.remove(id)));
    removed += orphans.length;
    batch = [];
  };
  for await (const blob of storage.list()) {
    if (blob.modifiedAt.getTime() > now.getTime() - orphanAgeMs) continue;
    batch.push(blob.id);
    if (batch.length === batchSize) await sweep();
  }
  if (batch.length > 0) await sweep();
  return removed;
}

async function knownBlobs({ read }: Store, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const garbage = await read.selectFrom("object_garbage").select("blob_id").where("blob_id", "in", ids).execute();
  const pinned = await read.selectFrom("object_pins").select("blob_id").where("blob_id", "in", ids).execute();
  return new Set([
    ...(await withRow(read, ids)),
    ...garbage.map((row) => row.blob_id),
    ...pinned.map((row) => row.blob_id),
  ]);
}

/** Those of the blobs that an object, a version, a part of an upload or a layer of an image has. */
async function withRow(reader: Writer, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const objects = await reader.selectFrom("objects").select("blob_id").where("blob_id", "in", ids).execute();
  const versions = await reader.selectFrom("object_versions").select("blob_id").where("blob_id", "in", ids).execute();
  const parts = await reader.selectFrom("upload_parts").select("blob_id").where("blob_id", "in", ids).execute();
  const layers = await reader.selectFrom("ecr_layers").select("blob_id").where("blob_id", "in", ids).execute();
  const layerParts = await reader.selectFrom("ecr_layer_parts").select("blob_id").where("blob_id", "in", ids).execute();
  return new Set([...objects, ...versions, ...parts, ...layers, ...layerParts].map((row) => row.blob_id));
}
