// Kysely's driver over node:sqlite: one connection, prepared statements kept by their text.
import { type DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import {
  type CompiledQuery,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from "kysely";
import type { Tables } from "../tables.ts";

const maxPreparedStatements = 500;

const bindable = (value: unknown): SQLInputValue => {
  if (value === undefined) return null;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value instanceof Date) return value.getTime();
  return value as SQLInputValue;
};

interface Prepared {
  readonly statement: StatementSync;
  /** Of the rows it answers, in order; empty for a change. Asked once: it costs as much as the query of a row. */
  readonly columns: readonly string[];
}

/** Rows come as arrays, and get their names here: SQLite's binding would make each name anew for each row. */
function named(columns: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (let at = 0; at < columns.length; at++) row[columns[at] ?? ""] = values[at];
  return row;
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #beforeQuery: () => void;
  readonly #prepared = new Map<string, Prepared>();

  constructor(database: DatabaseSync, beforeQuery: () => void) {
    this.#database = database;
    this.#beforeQuery = beforeQuery;
  }

  #prepare(text: string): Prepared {
    const known = this.#prepared.get(text);
    if (known) return known;
    const statement = this.#database.prepare(text);
    statement.setReturnArrays(true);
    const prepared = { statement, columns: statement.columns().map(({ name }) => name) };
    if (this.#prepared.size >= maxPreparedStatements) this.#prepared.clear();
    this.#prepared.set(text, prepared);
    return prepared;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    this.#beforeQuery();
    const { statement, columns } = this.#prepare(query.sql);
    const parameters = query.parameters.map(bindable);
    if (columns.length > 0) {
      const rows = statement.all(...parameters) as unknown as readonly unknown[][];
      return { rows: rows.map((values) => named(columns, values) as R) };
    }
    const { changes, lastInsertRowid } = statement.run(...parameters);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    const { statement, columns } = this.#prepare(query.sql);
    for (const values of statement.iterate(...query.parameters.map(bindable))) {
      yield { rows: [named(columns, values as unknown as readonly unknown[]) as R] };
    }
  }
}

/** Transactions are the store's affair (group commit), so the driver has none of its own. */
class SqliteDriver implements Driver {
  readonly #connection: SqliteConnection;

  constructor(database: DatabaseSync, beforeQuery: () => void) {
    this.#connection = new SqliteConnection(database, beforeQuery);
  }

  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }
  async beginTransaction(): Promise<void> {
    throw new Error("transactions go through Store.write");
  }
  async commitTransaction(): Promise<void> {}
  async rollbackTransaction(): Promise<void> {}
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {}
}

/** `beforeQuery` runs before every query: the reader opens its snapshot there. */
export function kyselyOn(database: DatabaseSync, beforeQuery: () => void = () => {}): Kysely<Tables> {
  const dialect: Dialect = {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteDriver(database, beforeQuery),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
  return new Kysely<Tables>({ dialect });
}
