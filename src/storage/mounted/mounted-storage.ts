// Files of folders that somebody else owns, shown as blobs beside Salvia's own. They are read and never written, and may change
// or go at any time: then their id no longer leads anywhere.
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { BlobMissingError, isMountedBlob, mountedPrefix, type Blob, type BlobStorage } from "../storage.ts";

export interface MountedFile {
  /** Absolute; no link. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Of the file that was looked at, and of no other that is found at its path later. */
  readonly device: number;
  readonly inode: number;
  /** ms since 1970 */
  readonly modifiedAt: number;
}

export interface MountedStorage extends BlobStorage {
  /** `digest`: 32 hexadecimal digits that name this state of this file. Returns the blob's id. */
  mount(digest: string, file: MountedFile): string;
  unmount(id: string): void;
}

export function createMountedStorage(own: BlobStorage): MountedStorage {
  const files = new Map<string, MountedFile>();
  const fileOf = (id: string): MountedFile => {
    const file = files.get(id);
    if (!file) throw new BlobMissingError(`the mounted file ${id} is not there`);
    return file;
  };
  return {
    mount: (digest, file) => {
      const id = `${mountedPrefix}${digest}`;
      files.set(id, file);
      return id;
    },
    unmount: (id) => void files.delete(id),
    write: (source, options) => own.write(source, options),
    read: async (id, range) => (isMountedBlob(id) ? readFile(fileOf(id), range) : own.read(id, range)),
    join: (ids): Promise<Blob> => own.join(ids),
    // Whoever opened the path itself could be led elsewhere: everybody reads through here.
    localPath: (id) => (isMountedBlob(id) ? undefined : own.localPath(id)),
    // The file is not ours to remove.
    remove: async (id) => (isMountedBlob(id) ? undefined : own.remove(id)),
    list: () => own.list(),
  };
}

async function readFile(
  { path, sizeBytes, device, inode, modifiedAt }: MountedFile,
  range?: { readonly start: number; readonly end: number },
): Promise<Readable> {
  if (sizeBytes === 0 || (range && range.end < range.start)) return Readable.from([], { objectMode: false });
  // What took the file's place since may be a link that leads elsewhere, or a pipe that nobody writes to.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((error: unknown) => {
    throw new BlobMissingError(`the mounted file ${path} cannot be read`, { cause: error });
  });
  const found = await file.stat();
  const isSame = found.isFile() && found.dev === device && found.ino === inode && found.size === sizeBytes;
  if (!isSame || found.mtimeMs !== modifiedAt) {
    await file.close();
    throw new BlobMissingError(`the mounted file ${path} cannot be read: it is not the one that was listed`);
  }
  // No more than was listed, should it have grown.
  const { start, end } = range ?? { start: 0, end: sizeBytes - 1 };
  return file.createReadStream({ start, end: Math.min(end, sizeBytes - 1) });
}
