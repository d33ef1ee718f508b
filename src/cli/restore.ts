// `salvia restore FILE.tar|FOLDER --data FOLDER`: a backup becomes a data folder, which must be empty or not there yet.
import { createWriteStream, existsSync, readdirSync } from "node:fs";
import { chmod, mkdir, open, readFile, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ConfigError, readConfig } from "../config.ts";
import { restoringName } from "../data-folder.ts";
import { namedBlobs } from "../database/sqlite/snapshot.ts";
import { BackupError, databaseName, manifestName, readArchive, type Manifest } from "./backup-archive.ts";
import { TarError } from "../agent/tar/tar-header.ts";

const usage = "usage: salvia restore FILE.tar|FOLDER --data FOLDER\n";

export async function restore(args: readonly string[]): Promise<number> {
  const [source, ...flags] = args;
  if (source === undefined || source.startsWith("--") || !flags.some((flag) => /^--data(=|$)/.test(flag))) {
    process.stderr.write(usage);
    return 2;
  }
  try {
    const { dataFolder } = readConfig(flags);
    const manifest = await restoreInto(dataFolder, source);
    process.stdout.write(
      `${dataFolder} is as it was at ${manifest.madeAt}. Start it with: salvia serve --data ${dataFolder}\n`,
    );
    return 0;
  } catch (error) {
    if (error instanceof ConfigError || error instanceof BackupError) {
      process.stderr.write(`${error.message}\n`);
      return error instanceof ConfigError ? 2 : 1;
    }
    if (error instanceof TarError) {
      process.stderr.write(`${source} is no whole backup: ${error.message}\n`);
      return 1;
    }
    throw error;
  }
}

/** Until it is done the folder holds `.restoring`, and no server starts on it. */
async function restoreInto(folder: string, source: string): Promise<Manifest> {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new BackupError(`${folder} is not empty; restore into a new folder`);
  }
  const isNew = !existsSync(folder);
  const incoming = join(folder, restoringName);
  await mkdir(join(incoming, "blobs"), { recursive: true, mode: 0o700 });
  try {
    for await (const { name, body } of readArchive(source)) await place(incoming, name, body);
    const manifest = await checked(incoming, source);
    await rename(join(incoming, "blobs"), join(folder, "blobs"));
    await rename(join(incoming, databaseName), join(folder, databaseName));
    await rm(incoming, { recursive: true });
    await syncFolder(folder);
    return manifest;
  } catch (error) {
    await rm(isNew ? folder : incoming, { recursive: true, force: true });
    throw error;
  }
}

async function place(incoming: string, name: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  const [blobs, id = ""] = name.split("/");
  const isBlob = blobs === "blobs";
  const folder = isBlob ? join(incoming, "blobs", id.slice(0, 2)) : incoming;
  await mkdir(folder, { recursive: true });
  const path = join(folder, isBlob ? id : name);
  await pipeline(body, createWriteStream(path, { flags: "wx", mode: 0o600, flush: true }));
  if (isBlob) await chmod(path, 0o444);
}

/** Whether all is there that the backup said it has, and all that its rows name. */
async function checked(incoming: string, source: string): Promise<Manifest> {
  const cut = new BackupError(`${source} is no whole backup: its end is missing`);
  const text = await readFile(join(incoming, manifestName), "utf8").catch(() => undefined);
  if (text === undefined || !existsSync(join(incoming, databaseName))) throw cut;
  const manifest = JSON.parse(text) as Manifest;
  if ((manifest.format as number) !== 1) throw new BackupError(`${source} was made by a newer Salvia`);
  let blobs = 0;
  let blobBytes = 0;
  for (const entry of await readdir(join(incoming, "blobs"), { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    blobs += 1;
    blobBytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  if (blobs !== manifest.blobs || blobBytes !== manifest.blobBytes) {
    throw new BackupError(`${source} is damaged: it holds ${blobs} blobs of ${manifest.blobs}`);
  }
  const lost = namedBlobs(join(incoming, databaseName)).files.find(
    (id) => !existsSync(join(incoming, "blobs", id.slice(0, 2), id)),
  );
  if (lost !== undefined) throw new BackupError(`${source} is damaged: it lacks blob ${lost}`);
  return manifest;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
