// Layers: content by its digest, kept once for everybody and shown by those repositories alone that have got it by an upload or by a
// mount. An upload is a row and its parts, each a blob of its own: it outlives the server, and its digest is counted as bytes come.
import { createHash, type Hash } from "node:crypto";
import type { Reader, Store, Writer } from "../../../database/store.ts";
import { lentChunks } from "../../../lib/lent-chunks.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { Random } from "../../../lib/random.ts";
import { BlobMissingError, StorageFullError, type BlobStorage } from "../../../storage/storage.ts";
import { addGarbage } from "./blob-garbage.ts";
import { storageFull } from "./errors.ts";

export interface Layer {
  readonly digest: string;
  readonly blobId: string;
  readonly sizeBytes: number;
}

export interface Upload {
  readonly id: string;
  readonly sizeBytes: number;
}

interface Part {
  readonly blobId: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** What went wrong with an upload, for the API and the registry to say in their own words. */
export class UploadProblem extends Error {
  readonly kind: "gone" | "out-of-order" | "empty" | "other-digest";
  constructor(kind: UploadProblem["kind"]) {
    super(kind);
    this.kind = kind;
  }
}

interface LayersParts {
  readonly store: Store;
  readonly storage: BlobStorage;
  readonly clock: Clock;
  readonly random: Random;
}

/** A layer that a push has asked about is kept for longer than this; so the row need not be written for each question. */
const useNotedEveryMs = 10 * 60_000;

type Algorithm = "sha256" | "sha512";
const algorithmOf = (digest: string): Algorithm => (digest.startsWith("sha512:") ? "sha512" : "sha256");

export class Layers {
  readonly #parts: LayersParts;

  constructor(parts: LayersParts) {
    this.#parts = parts;
  }

  /** Undefined: not in this repository, wherever else it may be. A client that asks may go on to name it in a manifest. */
  async find(repositoryUid: string, digest: string): Promise<Layer | undefined> {
    const { store } = this.#parts;
    const row = await store.read
      .selectFrom("ecr_repository_layers")
      .innerJoin("ecr_layers", "ecr_layers.digest", "ecr_repository_layers.digest")
      .select(["ecr_layers.blob_id", "ecr_layers.size_bytes", "ecr_repository_layers.used_at"])
      .where("ecr_repository_layers.repository_uid", "=", repositoryUid)
      .where("ecr_repository_layers.digest", "=", digest)
      .executeTakeFirst();
    if (!row) return undefined;
    if (row.used_at < this.#nowMs() - useNotedEveryMs) await store.write((tx) => this.#link(tx, repositoryUid, digest));
    return { digest, blobId: row.blob_id, sizeBytes: row.size_bytes };
  }

  /** True once the target has the layer too; false where the source has none. */
  mount(fromUid: string, toUid: string, digest: string): Promise<boolean> {
    return this.#parts.store.write(async (tx) => {
      const isThere = await hasLink(tx, fromUid, digest);
      if (!isThere || !(await lockLayer(tx, digest))) return false;
      await this.#link(tx, toUid, digest);
      return true;
    });
  }

  /** False: the repository has no such layer. The bytes go when no repository has it. */
  async unlink(repositoryUid: string, digest: string): Promise<boolean> {
    const { store } = this.#parts;
    const { numDeletedRows } = await store.write((tx) =>
      tx
        .deleteFrom("ecr_repository_layers")
        .where("repository_uid", "=", repositoryUid)
        .where("digest", "=", digest)
        .executeTakeFirst(),
    );
    return numDeletedRows > 0n;
  }

  async begin(repositoryUid: string): Promise<Upload> {
    const { store, random } = this.#parts;
    const id = random.uuid();
    const row = { id, repository_uid: repositoryUid, size_bytes: 0, changed_at: this.#nowMs() };
    await store.write((tx) => tx.insertInto("ecr_layer_uploads").values(row).execute());
    return { id, sizeBytes: 0 };
  }

  findUpload(repositoryUid: string, id: string): Promise<Upload | undefined> {
    return findUpload(this.#parts.store.read, repositoryUid, id);
  }

  /**
   * Adds the source's bytes to the end; resolves once they are durable. `start` is where the client believes the end is. Throws
   * UploadProblem; where the source fails, nothing of it is kept.
   */
  async append(repositoryUid: string, id: string, source: AsyncIterable<Uint8Array>, start?: number): Promise<Upload> {
    const { store } = this.#parts;
    const upload = await findUpload(store.read, repositoryUid, id);
    if (!upload) throw new UploadProblem("gone");
    if (start !== undefined && start !== upload.sizeBytes) throw new UploadProblem("out-of-order");
    const part = await this.#receive(source);
    const sizeBytes = upload.sizeBytes + part.sizeBytes;
    try {
      await store.write((tx) => this.#addPart(tx, repositoryUid, upload, part));
    } catch (error) {
      await this.#parts.storage.remove(part.blobId);
      throw error;
    }
    return { id, sizeBytes };
  }

  /** The upload becomes a layer if its bytes have one of the digests. Throws UploadProblem. */
  async complete(repositoryUid: string, id: string, digests: readonly string[], mayBeEmpty = false): Promise<Layer> {
    const { store, storage } = this.#parts;
    const upload = await findUpload(store.read, repositoryUid, id);
    if (!upload) throw new UploadProblem("gone");
    const parts = await partsOf(store.read, id);
    if (parts.length === 0 && !mayBeEmpty) throw new UploadProblem("empty");
    const digest = await this.#digestAmong(digests, parts);
    if (digest === undefined) throw new UploadProblem("other-digest");
    const [only] = parts;
    const isJoined = parts.length !== 1 || !only;
    const blobId = isJoined ? await this.#joined(parts) : only.blobId;
    try {
      return await store.write((tx) =>
        this.#keep(tx, repositoryUid, upload, { digest, blobId, sizeBytes: upload.sizeBytes }),
      );
    } catch (error) {
      if (isJoined) await storage.remove(blobId);
      throw error;
    }
  }

  /** False: there was none. */
  cancel(repositoryUid: string, id: string): Promise<boolean> {
    return this.#parts.store.write(async (tx) => {
      if (!(await findUpload(tx, repositoryUid, id))) return false;
      await dropUploads(tx, [id], this.#nowMs());
      return true;
    });
  }

  #nowMs(): number {
    return this.#parts.clock.now().getTime();
  }

  async #receive(source: AsyncIterable<Uint8Array>): Promise<Part> {
    const hash = createHash("sha256");
    async function* counted(): AsyncGenerator<Uint8Array> {
      for await (const chunk of lentChunks(source)) {
        hash.update(chunk);
        yield chunk;
      }
    }
    const { id: blobId, sizeBytes } = await this.#stored(this.#parts.storage.write(counted()));
    return { blobId, sizeBytes, sha256: hash.digest("hex") };
  }

  async #joined(parts: readonly Part[]): Promise<string> {
    return (await this.#stored(this.#parts.storage.join(parts.map(({ blobId }) => blobId)))).id;
  }

  async #stored<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof StorageFullError) throw storageFull();
      // Cancelled meanwhile.
      if (error instanceof BlobMissingError) throw new UploadProblem("gone");
      throw error;
    }
  }

  async #addPart(tx: Writer, repositoryUid: string, { id, sizeBytes }: Upload, part: Part): Promise<void> {
    const size_bytes = sizeBytes + part.sizeBytes;
    const { numUpdatedRows } = await tx
      .updateTable("ecr_layer_uploads")
      .set({ size_bytes, changed_at: this.#nowMs() })
      .where("id", "=", id)
      .where("size_bytes", "=", sizeBytes)
      .executeTakeFirst();
    // Another request has added to it, or ended it, in the meantime.
    if (numUpdatedRows === 0n)
      throw new UploadProblem((await findUpload(tx, repositoryUid, id)) ? "out-of-order" : "gone");
    const { blobId: blob_id, sha256 } = part;
    if (part.sizeBytes === 0) return addGarbage(tx, [blob_id], this.#nowMs());
    await tx
      .insertInto("ecr_layer_parts")
      .values({ upload_id: id, start_byte: sizeBytes, blob_id, size_bytes: part.sizeBytes, sha256 })
      .execute();
  }

  async #digestAmong(digests: readonly string[], parts: readonly Part[]): Promise<string | undefined> {
    const counted = new Map<Algorithm, string>();
    const [only] = parts;
    if (parts.length === 1 && only) counted.set("sha256", `sha256:${only.sha256}`);
    for (const digest of digests) {
      const algorithm = algorithmOf(digest);
      const known = counted.get(algorithm) ?? (await this.#digest(algorithm, parts));
      counted.set(algorithm, known);
      if (known === digest) return digest;
    }
    return undefined;
  }

  async #digest(algorithm: Algorithm, parts: readonly Part[]): Promise<string> {
    const hash: Hash = createHash(algorithm);
    for (const { blobId } of parts) {
      const stream = await this.#stored(this.#parts.storage.read(blobId));
      for await (const chunk of lentChunks(stream as AsyncIterable<Uint8Array>)) hash.update(chunk);
    }
    return `${algorithm}:${hash.digest("hex")}`;
  }

  /** In one transaction: the repository has the layer and the upload is gone. Bytes that are here already are not kept twice. */
  async #keep(tx: Writer, repositoryUid: string, upload: Upload, layer: Layer): Promise<Layer> {
    const current = await findUpload(tx, repositoryUid, upload.id);
    if (current?.sizeBytes !== upload.sizeBytes) throw new UploadProblem(current ? "out-of-order" : "gone");
    const { digest, blobId: blob_id, sizeBytes: size_bytes } = layer;
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto("ecr_layers")
      .values({ digest, blob_id, size_bytes })
      .onConflict((conflict) => conflict.column("digest").doNothing())
      .executeTakeFirst();
    const isNew = numInsertedOrUpdatedRows === 1n;
    if (!isNew && !(await lockLayer(tx, digest))) throw new Error(`the layer ${digest} vanished while it was uploaded`);
    await this.#link(tx, repositoryUid, digest);
    await dropUploads(tx, [upload.id], this.#nowMs(), isNew ? blob_id : undefined);
    // A joined blob that is not needed; a part's is garbage by now.
    if (!isNew) await addGarbage(tx, [blob_id], this.#nowMs());
    return layer;
  }

  async #link(tx: Writer, repositoryUid: string, digest: string): Promise<void> {
    const used_at = this.#nowMs();
    await tx
      .insertInto("ecr_repository_layers")
      .values({ repository_uid: repositoryUid, digest, used_at })
      .onConflict((conflict) => conflict.columns(["repository_uid", "digest"]).doUpdateSet({ used_at }))
      .execute();
  }
}

async function findUpload(read: Reader, repositoryUid: string, id: string): Promise<Upload | undefined> {
  const row = await read
    .selectFrom("ecr_layer_uploads")
    .select("size_bytes")
    .where("id", "=", id)
    .where("repository_uid", "=", repositoryUid)
    .executeTakeFirst();
  return row && { id, sizeBytes: row.size_bytes };
}

async function partsOf(read: Reader, id: string): Promise<readonly Part[]> {
  const rows = await read
    .selectFrom("ecr_layer_parts")
    .selectAll()
    .where("upload_id", "=", id)
    .orderBy("start_byte")
    .execute();
  return rows.map((row) => ({ blobId: row.blob_id, sizeBytes: row.size_bytes, sha256: row.sha256 }));
}

async function hasLink(read: Reader, repositoryUid: string, digest: string): Promise<boolean> {
  const row = await read
    .selectFrom("ecr_repository_layers")
    .select("digest")
    .where("repository_uid", "=", repositoryUid)
    .where("digest", "=", digest)
    .executeTakeFirst();
  return row !== undefined;
}

/** Holds the row until the transaction's end, so that the collector decides before it or after it. False: it is gone. */
async function lockLayer(tx: Writer, digest: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable("ecr_layers")
    .set((eb) => ({ size_bytes: eb.ref("size_bytes") }))
    .where("digest", "=", digest)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** The uploads and their parts; of these all blobs but one become garbage. */
export async function dropUploads(tx: Writer, ids: readonly string[], nowMs: number, keptBlob?: string): Promise<void> {
  if (ids.length === 0) return;
  const parts = await tx.selectFrom("ecr_layer_parts").select("blob_id").where("upload_id", "in", ids).execute();
  await tx.deleteFrom("ecr_layer_parts").where("upload_id", "in", ids).execute();
  await tx.deleteFrom("ecr_layer_uploads").where("id", "in", ids).execute();
  await addGarbage(
    tx,
    parts.map((part) => part.blob_id).filter((blobId) => blobId !== keptBlob),
    nowMs,
  );
}
