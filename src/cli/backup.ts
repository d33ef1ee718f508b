// `salvia backup FILE.tar|FOLDER [--data FOLDER]`: a consistent copy of a data folder, while its server runs.
import { mkdtempSync, existsSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ConfigError, readConfig, type Config } from "../config.ts";
import { namedBlobs, openLiveDatabase } from "../database/sqlite/snapshot.ts";
import { errorCode } from "../lib/error-code.ts";
import { minutes, seconds, systemClock, type Clock } from "../lib/clock.ts";
import {
  BackupError,
  blobName,
  createArchive,
  databaseName,
  manifestName,
  type ArchiveWriter,
  type Manifest,
} from "./backup-archive.ts";

const usage = "usage: salvia backup FILE.tar|FOLDER [--data FOLDER]\n";

/** The hold ends by itself when a backup is killed. */
const holdMs = minutes(5);
const renewHoldEveryMs = seconds(30);

export async function backup(args: readonly string[]): Promise<number> {
  const [target, ...flags] = args;
  if (target === undefined || target.startsWith("--")) {
    process.stderr.write(usage);
    return 2;
  }
  try {
    const config = readConfig(flags);
    const { blobs, blobBytes } = await makeBackup(config, target, systemClock);
    const size = statSync(join(config.dataFolder, databaseName)).size;
    process.stdout.write(
      `${target}: the database (${megabytes(size)} MB live) and ${blobs} objects' files (${megabytes(blobBytes)} MB)\n`,
    );
    return 0;
  } catch (error) {
    if (error instanceof ConfigError || error instanceof BackupError) {
      process.stderr.write(`${error.message}\n`);
      return error instanceof ConfigError ? 2 : 1;
    }
    throw error;
  }
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

async function makeBackup({ dataFolder, database }: Config, target: string, clock: Clock): Promise<Manifest> {
  if (database !== undefined) {
    throw new BackupError("a Postgres database is backed up with pg_dump; docs/postgres.md says how, objects included");
  }
  const file = join(dataFolder, databaseName);
  if (!existsSync(file)) throw new BackupError(`there is no Salvia in ${dataFolder}; name its folder with --data`);
  if (resolve(target).startsWith(`${dataFolder}/`))
    throw new BackupError("the backup must lie outside the data folder");
  const archive = await createArchive(target);
  const scratch = mkdtempSync(join(dirname(resolve(target)), ".salvia-backup-"));
  const live = openLiveDatabase(file);
  const hold = (): void => live.holdBlobs(new Date(clock.now().getTime() + holdMs));
  hold();
  const stopHolding = clock.every(renewHoldEveryMs, hold);
  try {
    const copy = join(scratch, databaseName);
    live.copyTo(copy);
    await archive.add(databaseName, copy);
    const manifest = await addBlobs(archive, copy, join(dataFolder, "blobs"), clock);
    await archive.addText(manifestName, `${JSON.stringify(manifest, undefined, 2)}\n`);
    await archive.finish();
    return manifest;
  } catch (error) {
    await archive.abandon();
    throw error;
  } finally {
    stopHolding();
    live.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function addBlobs(archive: ArchiveWriter, copy: string, folder: string, clock: Clock): Promise<Manifest> {
  const { files, missing } = namedBlobs(copy);
  if (missing[0] !== undefined)
    throw new BackupError(`the bytes of ${missing.length} objects are missing: ${missing[0]}`);
  let blobBytes = 0;
  for (const id of files) {
    try {
      blobBytes += await archive.add(blobName(id), join(folder, id.slice(0, 2), id));
    } catch (error) {
      if (errorCode(error) === "ENOENT") throw new BackupError(`the file of blob ${id} is missing in ${folder}`);
      throw error;
    }
  }
  return { format: 1, madeAt: clock.now().toISOString(), blobs: files.length, blobBytes };
}
