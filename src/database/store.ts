// The one async repository: Kysely over SQLite (embedded) or Postgres (later), with group commit.
import type { Kysely } from "kysely";
import type { Tables } from "./tables.ts";

export type Reader = Kysely<Tables>;
export type Writer = Kysely<Tables>;

export interface Store {
  /** Sees committed rows only. */
  readonly read: Reader;
  /**
   * Runs `work` inside the next group transaction and resolves after it is durable (survives power loss).
   * All works waiting in one turn of the loop share a transaction, each behind a savepoint: a throw rolls back
   * only its own. `work` awaits nothing but queries on `tx`.
   */
  write<T>(work: (tx: Writer) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
