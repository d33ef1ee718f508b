// What nobody needs any more: uploads that stopped, layers that no image of a repository names, bytes that no repository has. The
// bytes themselves are removed with those of objects, by S3's collector, which also minds backups.
import type { Store, Writer } from "../../../database/store.ts";
import { addGarbage } from "./blob-garbage.ts";
import { dropUploads } from "./layers.ts";

/** A push may take long between its first layer and its manifest. */
const keptUnnamedMs = 3_600_000;
const keptUploadsMs = 24 * 3_600_000;
const batchSize = 500;

/** Resolves to the number of layers whose bytes became garbage. */
export async function collectLayers(store: Store, now: Date): Promise<number> {
  const nowMs = now.getTime();
  while ((await store.write((tx) => dropStoppedUploads(tx, nowMs))) === batchSize);
  while ((await store.write((tx) => unlinkUnnamed(tx, nowMs))) === batchSize);
  let removed = 0;
  for (;;) {
    const count = await store.write((tx) => dropUnlinked(tx, nowMs));
    removed += count;
    if (count < batchSize) return removed;
  }
}

async function dropStoppedUploads(tx: Writer, nowMs: number): Promise<number> {
  const rows = await tx
    .selectFrom("ecr_layer_uploads")
    .select("id")
    .where("changed_at", "<=", nowMs - keptUploadsMs)
    .limit(batchSize)
    .execute();
  await dropUploads(
    tx,
    rows.map(({ id }) => id),
    nowMs,
  );
  return rows.length;
}

async function unlinkUnnamed(tx: Writer, nowMs: number): Promise<number> {
  const rows = await tx
    .selectFrom("ecr_repository_layers as link")
    .select(["link.repository_uid", "link.digest"])
    .where("link.used_at", "<=", nowMs - keptUnnamedMs)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom("ecr_references as image")
            .select("image.digest")
            .whereRef("image.repository_uid", "=", "link.repository_uid")
            .whereRef("image.needed", "=", "link.digest"),
        ),
      ),
    )
    .limit(batchSize)
    .execute();
  for (const { repository_uid, digest } of rows)
    await tx
      .deleteFrom("ecr_repository_layers")
      .where("repository_uid", "=", repository_uid)
      .where("digest", "=", digest)
      .where("used_at", "<=", nowMs - keptUnnamedMs)
      .execute();
  return rows.length;
}

async function dropUnlinked(tx: Writer, nowMs: number): Promise<number> {
  const rows = await tx
    .selectFrom("ecr_layers as layer")
    .select(["layer.digest"])
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom("ecr_repository_layers as link")
            .select("link.digest")
            .whereRef("link.digest", "=", "layer.digest"),
        ),
      ),
    )
    .limit(batchSize)
    .execute();
  if (rows.length === 0) return 0;
  const digests = rows.map(({ digest }) => digest);
  // Locked first, then asked again: a mount or upload that holds the row has its link by now.
  await tx
    .updateTable("ecr_layers")
    .set((eb) => ({ size_bytes: eb.ref("size_bytes") }))
    .where("digest", "in", digests)
    .execute();
  const gone = await tx
    .deleteFrom("ecr_layers")
    .where("digest", "in", digests)
    .where("digest", "not in", (eb) =>
      eb.selectFrom("ecr_repository_layers").select("digest").where("digest", "in", digests),
    )
    .returning("blob_id")
    .execute();
  await addGarbage(
    tx,
    gone.map((row) => row.blob_id),
    nowMs,
  );
  return gone.length;
}
