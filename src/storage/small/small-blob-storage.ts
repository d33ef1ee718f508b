// Small blobs as rows, all others where they were: a file of its own costs a small blob three syncs, a row shares one with
// whatever else is written in the same turn. (SQLite reads rows of this size faster than files, too: sqlite.org/fasterthanfs.html)
import { Readable } from "node:stream";
import type { Clock } from "../../lib/clock.ts";
import { timeOrderedUuid, type Random } from "../../lib/random.ts";
import { BlobMissingError, type Blob, type BlobStorage } from "../storage.ts";

/** Blobs up to this size are rows. */
export const maxSmallBytes = 32 * 1_024;

/** Where the rows are. */
export interface BlobRows {
  /** Resolves once durable. */
  insert(id: string, bytes: Uint8Array): Promise<void>;
  find(id: string): Promise<Uint8Array | undefined>;
  /** Unknown ids are fine. */
  remove(id: string): Promise<void>;
  list(): AsyncIterable<{ readonly id: string; readonly modifiedAt: Date }>;
}

export interface SmallBlobOptions {
  readonly large: BlobStorage;
  readonly rows: BlobRows;
  readonly clock: Clock;
  readonly random: Random;
}

export const createSmallBlobStorage = (options: SmallBlobOptions): BlobStorage => new SmallBlobStorage(options);

/** No id of the large ones begins like this: theirs are hexadecimal. */
const smallId = /^s[0-9a-f]{32}$/;

interface Beginning {
  readonly chunks: readonly Uint8Array[];
  readonly sizeBytes: number;
  /** What follows; undefined where this was all. */
  readonly rest: AsyncIterator<Uint8Array> | undefined;
}

/** Reads until it is known whether the source is small. */
async function beginningOf(source: AsyncIterable<Uint8Array>): Promise<Beginning> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const rest = source[Symbol.asyncIterator]();
  while (sizeBytes <= maxSmallBytes) {
    const { done, value } = await rest.next();
    if (done) return { chunks, sizeBytes, rest: undefined };
    sizeBytes += value.byteLength;
    // The last of a large one is still good while it is passed on; the others may not outlive the next.
    chunks.push(sizeBytes <= maxSmallBytes ? Buffer.from(value) : value);
  }
  return { chunks, sizeBytes, rest };
}

async function* whole(chunks: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
    yield* { [Symbol.asyncIterator]: () => rest };
  } finally {
    await rest.return?.();
  }
}

class SmallBlobStorage implements BlobStorage {
  readonly #options: SmallBlobOptions;

  constructor(options: SmallBlobOptions) {
    this.#options = options;
  }

  async write(
    source: AsyncIterable<Uint8Array>,
    { mayLeaveUnsaved = false }: { readonly mayLeaveUnsaved?: boolean } = {},
  ): Promise<Blob> {
    const { chunks, sizeBytes, rest } = await beginningOf(source);
    if (rest) return this.#writeLarge(chunks, rest);
    const { rows, clock, random } = this.#options;
    const id = `s${timeOrderedUuid(random, clock.now().getTime()).replaceAll("-", "")}`;
    const bytes = Buffer.concat(chunks, sizeBytes);
    // One transaction instead of two, each of which would wait for the disk.
    if (mayLeaveUnsaved) return { id, sizeBytes, unsaved: bytes };
    await rows.insert(id, bytes);
    return { id, sizeBytes };
  }

  async #writeLarge(chunks: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): Promise<Blob> {
    try {
      return await this.#options.large.write(whole(chunks, rest));
    } catch (error) {
      // A disk that refuses before the first byte leaves a source that nobody has begun to read on.
      await rest.return?.();
      throw error;
    }
  }

  async read(id: string, range?: { readonly start: number; readonly end: number }): Promise<Readable> {
    if (!smallId.test(id)) return this.#options.large.read(id, range);
    const bytes = await this.#small(id);
    const wanted = range ? bytes.subarray(range.start, Math.max(range.end + 1, range.start)) : bytes;
    return Readable.from(wanted.byteLength === 0 ? [] : [wanted], { objectMode: false });
  }

  /** Small parts become files first, so that the first and large one can share its blocks with the whole. */
  async join(ids: readonly string[]): Promise<Blob> {
    const { large } = this.#options;
    const copies: string[] = [];
    try {
      const asLarge: string[] = [];
      for (const id of ids) {
        if (smallId.test(id)) {
          const copy = await large.write(Readable.from([await this.#small(id)]));
          copies.push(copy.id);
          asLarge.push(copy.id);
        } else asLarge.push(id);
      }
      return await large.join(asLarge);
    } finally {
      for (const copy of copies) await large.remove(copy);
    }
  }

  localPath(id: string): string | undefined {
    return smallId.test(id) ? undefined : this.#options.large.localPath(id);
  }

  remove(id: string): Promise<void> {
    return smallId.test(id) ? this.#options.rows.remove(id) : this.#options.large.remove(id);
  }

  async *list(): AsyncGenerator<{ readonly id: string; readonly modifiedAt: Date }> {
    yield* this.#options.large.list();
    yield* this.#options.rows.list();
  }

  async #small(id: string): Promise<Uint8Array> {
    const bytes = await this.#options.rows.find(id);
    if (!bytes) throw new BlobMissingError(`blob ${id} is not there`);
    return bytes;
  }
}
