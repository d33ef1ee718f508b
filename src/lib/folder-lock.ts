// One holder per folder: an exclusive transaction on a small SQLite file. The kernel frees it however the holder dies.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface FolderLock {
  release(): void;
}

/** The lock, held until `release` or the end of the process; undefined when another process holds it. Throws if the folder cannot be written. */
export function lockFolder(folder: string, name = "lock.db"): FolderLock | undefined {
  mkdirSync(folder, { recursive: true });
  const database = new DatabaseSync(join(folder, name), { timeout: 0 });
  try {
    // In WAL mode readers could enter; the rollback journal locks the whole file.
    database.exec("pragma journal_mode = delete; begin exclusive");
  } catch (error) {
    database.close();
    if (error instanceof Error && /database is locked/.test(error.message)) return undefined;
    throw error;
  }
  return { release: () => database.close() };
}
