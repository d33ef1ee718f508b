// One holder per folder, or several that all share it: a transaction on a small SQLite file. The kernel frees it however the holder dies.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface FolderLock {
  release(): void;
}

/**
 * The lock, held until `release` or the end of the process; undefined when another process holds it in a way that does not
 * go with `sharing`. Throws if the folder cannot be written.
 */
export function lockFolder(
  folder: string,
  name = "lock.db",
  sharing: "alone" | "shared" = "alone",
): FolderLock | undefined {
  mkdirSync(folder, { recursive: true });
  const database = new DatabaseSync(join(folder, name), { timeout: 0 });
  try {
    // In WAL mode readers could enter; the rollback journal locks the whole file.
    // In a transaction that has read something, SQLite holds the shared lock, which keeps the exclusive one out.
    const how = sharing === "alone" ? "begin exclusive" : "begin; select count(*) from sqlite_master";
    database.exec(`pragma journal_mode = delete; ${how}`);
  } catch (error) {
    database.close();
    if (error instanceof Error && /database is locked/.test(error.message)) return undefined;
    throw error;
  }
  return { release: () => database.close() };
}
