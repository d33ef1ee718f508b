// Models on the task's disk: fetched through the server as the execution role, unpacked beside the program's view, moved into it whole.
// The program can read them and nothing else: what it may not change cannot lead a later write of the agent astray.
import { constants, type Stats } from "node:fs";
import { chmod, lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { IncomingMessage } from "node:http";
import { folderBytes } from "../disk-use.ts";
import { StageError } from "../planned-path.ts";
import { TooLargeError, unpackTarGz } from "../tar/unpack-archive.ts";
import { NoRoomError, type ModelStore } from "./model-cache.ts";

export interface ModelStoreOptions {
  /** The task's folder; models are unpacked in it, out of the program's sight. */
  readonly folder: string;
  /** Becomes /opt/ml/models. */
  readonly models: string;
  /** The archive, or why there is none. */
  readonly fetch: (target: string, signal: AbortSignal) => Promise<IncomingMessage | { readonly problem: string }>;
  readonly signal: AbortSignal;
}

/** A new empty folder, before the program runs. */
export async function makeModelsFolder(models: string): Promise<void> {
  await rm(models, { recursive: true, force: true });
  await mkdir(models, { recursive: true });
  await chmod(models, 0o755);
}

export function modelStore({ folder, models, fetch, signal }: ModelStoreOptions): ModelStore {
  const incoming = join(folder, "models-incoming");
  return {
    present: () =>
      inOwnFolder(models, async (at) => {
        const found = new Map<string, number>();
        for (const name of await readdir(at)) found.set(name, await folderBytes(join(at, name)));
        return found;
      }),
    bring: async (name, target, mostBytes) => {
      await rm(incoming, { recursive: true, force: true });
      const unpacked = join(incoming, "model");
      await mkdir(unpacked, { recursive: true });
      try {
        await unpack(await archiveOf(await fetch(target, signal)), unpacked, { name: target, signal, mostBytes });
        await makeReadable(incoming);
        const bytes = await folderBytes(incoming);
        await inOwnFolder(models, async (at) => {
          await rm(join(at, name), { recursive: true, force: true });
          await rename(incoming, join(at, name));
        });
        return bytes;
      } finally {
        await rm(incoming, { recursive: true, force: true });
      }
    },
    remove: (name) => inOwnFolder(models, (at) => rm(join(at, name), { recursive: true, force: true })),
  };
}

async function archiveOf(fetched: IncomingMessage | { readonly problem: string }): Promise<IncomingMessage> {
  if ("problem" in fetched) throw new StageError(fetched.problem);
  return fetched;
}

async function unpack(
  source: IncomingMessage,
  folder: string,
  options: { readonly name: string; readonly signal: AbortSignal; readonly mostBytes: number },
): Promise<void> {
  try {
    await unpackTarGz(source, folder, options);
  } catch (error) {
    source.destroy();
    if (error instanceof TooLargeError) throw new NoRoomError(error.message);
    throw error;
  }
}

/** The program may run as another user. Links stay as they are: what they lead to is in the folder, too. */
async function makeReadable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await makeReadable(path);
    else if (entry.isFile()) await chmod(path, ((await lstat(path)).mode & 0o755) | 0o644);
  }
}

/**
 * Acts in the folder that this agent made. The folder above it is the program's, which could put a link in its place: so it is opened
 * once, looked at, and gone into by its handle where the system can do that.
 */
async function inOwnFolder<T>(models: string, action: (at: string) => Promise<T>): Promise<T> {
  const handle = await open(models, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    if (!isOwn(await handle.stat())) throw new Error("/opt/ml/models was replaced by the program");
    return await action(process.platform === "linux" ? `/proc/self/fd/${handle.fd}` : models);
  } finally {
    await handle.close();
  }
}

const isOwn = ({ uid }: Stats): boolean => uid === (process.getuid?.() ?? uid);
