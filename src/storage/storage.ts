// Bytes of objects, parts and artifacts. A blob is written once and never changed; rows in the database point to it.
import type { Readable } from "node:stream";

export interface Blob {
  /** Opaque, safe as a file name. */
  readonly id: string;
  readonly sizeBytes: number;
  /** Only where the writer allowed it: not stored yet. Whoever points a row to the blob stores these bytes in the same transaction. */
  readonly unsaved?: Uint8Array;
}

export interface BlobStorage {
  /** Streams to a new blob; keeps no chunk after asking for the next. Resolves once the bytes and their name are on disk (fsync of file and folder); rejects, leaving nothing, when the source fails or the disk is full (StorageFullError). */
  write(source: AsyncIterable<Uint8Array>, options?: { readonly mayLeaveUnsaved?: boolean }): Promise<Blob>;
  /** Bytes [start, end] of a blob, inclusive; all without a range; may lend its chunks (lib/lent-chunks.ts). Rejects with BlobMissingError. */
  read(id: string, range?: { readonly start: number; readonly end: number }): Promise<Readable>;
  /** A new blob that holds the bytes of the given ones in order (multipart); uses copy-on-write where the file system can. */
  join(ids: readonly string[]): Promise<Blob>;
  /** The blob as a file that others may read and must never change; undefined where storage is remote. */
  localPath(id: string): string | undefined;
  /** Unknown ids are fine. */
  remove(id: string): Promise<void>;
  /** Every blob, for the sweeper, with the time of its last change. */
  list(): AsyncIterable<{ readonly id: string; readonly modifiedAt: Date }>;
}

/** How ids of files begin that are not Salvia's (storage/mounted): they may change or go, so no other object may point to them. */
export const mountedPrefix = "m";
export const isMountedBlob = (id: string): boolean => id.startsWith(mountedPrefix);

export class BlobMissingError extends Error {}
export class StorageFullError extends Error {}
