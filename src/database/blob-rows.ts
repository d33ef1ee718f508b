// Small objects' bytes, as rows: written with whatever else the turn's transaction holds.
import type { Clock } from "../lib/clock.ts";
import { prepared, preparedChange } from "./prepared.ts";
import type { Store, Writer } from "./store.ts";

const pageSize = 1_000;

const insertion = preparedChange((tx) =>
  tx.insertInto("small_blobs").values({ id: "", bytes: new Uint8Array(), created_at: 0 }),
);

const byId = prepared<{ bytes: Uint8Array }>((reader) =>
  reader.selectFrom("small_blobs").select("bytes").where("id", "=", ""),
);

/** Stores a small blob in the caller's own transaction. */
export const saveBlobRow = (tx: Writer, id: string, bytes: Uint8Array, now: Date): Promise<unknown> =>
  insertion(tx, [id, bytes, now.getTime()]);

/** What storage/small asks of a database. */
export const blobRows = (store: Store, clock: Clock) => ({
  async insert(id: string, bytes: Uint8Array): Promise<void> {
    await store.write((tx) => insertion(tx, [id, bytes, clock.now().getTime()]));
  },

  async find(id: string): Promise<Uint8Array | undefined> {
    return (await byId(store.read, [id]))[0]?.bytes;
  },

  async remove(id: string): Promise<void> {
    await store.write((tx) => tx.deleteFrom("small_blobs").where("id", "=", id).execute());
  },

  async *list(): AsyncGenerator<{ readonly id: string; readonly modifiedAt: Date }> {
    let after = "";
    for (;;) {
      const rows = await store.read
        .selectFrom("small_blobs")
        .select(["id", "created_at"])
        .where("id", ">", after)
        .orderBy("id")
        .limit(pageSize)
        .execute();
      for (const row of rows) yield { id: row.id, modifiedAt: new Date(row.created_at) };
      if (rows.length < pageSize) return;
      after = rows.at(-1)?.id ?? after;
    }
  },
});
