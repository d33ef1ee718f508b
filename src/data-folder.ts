// Whose data folder it is: one server's alone with SQLite, that of every server of one Postgres database otherwise. Blobs
// without a row are swept away, so a folder never changes its database.
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Config } from "./config.ts";
import { settingOrMade } from "./database/settings.ts";
import type { Store } from "./database/store.ts";
import { lockFolder, type FolderLock } from "./lib/folder-lock.ts";
import type { Random } from "./lib/random.ts";
import { readServerFile, writeServerFile, type ServerFile } from "./lib/server-file.ts";

/** Another server holds the data folder. */
export class FolderHeldError extends Error {}

/** The data folder cannot be used; the message says what to do. */
export class FolderProblemError extends Error {}

/** In a folder that a restore has not finished. */
export const restoringName = ".restoring";

type Where = Pick<Config, "dataFolder" | "database">;

const databaseFile = (folder: string): string => join(folder, "database.json");

/** Step by step: Node's own recursion never returns where no folder can be made, as below /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}

/** Makes the folder where it is missing, and holds it until `release`. */
export function holdFolder({ dataFolder: folder, database }: Where): FolderLock {
  let lock: FolderLock | undefined;
  try {
    makeFolder(resolve(folder));
    accessSync(folder, constants.W_OK | constants.R_OK | constants.X_OK);
    lock = lockFolder(folder, "lock.db", database === undefined ? "alone" : "shared");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new FolderProblemError(
      `the data folder ${folder} cannot be written (${why}). Give another with --data, or make it writable.`,
    );
  }
  if (!lock) {
    const holder = readServerFile(folder);
    const who = holder ? `process ${holder.pid}, at ${holder.url}, since ${holder.startedAt}` : "another process";
    throw new FolderHeldError(
      `the data folder ${folder} is held by ${who}. Use that server, stop it, or start this one with another --data.`,
    );
  }
  const problem = problemOf(folder, database);
  if (problem === undefined) return lock;
  lock.release();
  throw new FolderProblemError(problem);
}

function problemOf(folder: string, database: string | undefined): string | undefined {
  if (existsSync(join(folder, restoringName)))
    return `a restore into ${folder} was interrupted. Remove the folder and restore again.`;
  if (database === undefined && existsSync(databaseFile(folder)))
    return `the data folder ${folder} belongs to a Postgres database. Name it with --database, or give another --data.`;
  if (database !== undefined && existsSync(join(folder, "salvia.db")))
    return `the data folder ${folder} has a database of its own. Start without --database, or give another --data.`;
  return undefined;
}

/** Notes in the folder which Postgres database it belongs to; throws FolderProblemError where it is another's. */
export async function claimFolder(folder: string, store: Store, random: Random): Promise<void> {
  const installation = await settingOrMade(store, "installation-id", () => random.uuid());
  const file = databaseFile(folder);
  if (existsSync(file)) {
    const known = (JSON.parse(readFileSync(file, "utf8")) as { readonly installation?: unknown }).installation;
    if (known === installation) return;
    throw new FolderProblemError(
      `the data folder ${folder} belongs to another Postgres database. Name that one, or give another --data.`,
    );
  }
  const fresh = `${file}.${random.uuid()}`;
  writeFileSync(fresh, JSON.stringify({ installation }), { mode: 0o600 });
  renameSync(fresh, file);
}

/** Agents look there for a server: one that is gone is replaced by this one. */
export function keepServerFile(folder: string, own: ServerFile, aliveUrls: readonly string[]): void {
  const named = readServerFile(folder)?.url;
  if (named === undefined || !aliveUrls.includes(named)) writeServerFile(folder, own);
}
