// Kysely's driver over pg: a pool for reads, one client for a group of writes. Values travel as SQLite has them.
import {
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from "kysely";
import { TypeOverrides, type CustomTypesConfig, type QueryResult as PgResult } from "pg";
import type { Tables } from "../tables.ts";

const int8 = 20;
const numeric = 1700;

/** Both are numbers here, as in SQLite: times in milliseconds, counts and their sums, all below 2^53. */
const parsers = new TypeOverrides();
parsers.setTypeParser(int8, Number);
parsers.setTypeParser(numeric, Number);
export const types: CustomTypesConfig = parsers;

/** Postgres keeps no U+0000 in text: it becomes the replacement character, as other bytes that are no text do. */
const bindable = (value: unknown): unknown => {
  if (typeof value === "string") return value.includes("\0") ? value.replaceAll("\0", "\u{fffd}") : value;
  if (value === undefined) return null;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value instanceof Date) return value.getTime();
  return value;
};

/** Tables are written once for both databases; SQLite compares text by its bytes, and so does this collation. */
const inBytesOrder = (statement: string): string =>
  /^\s*(create|alter) table/i.test(statement) ? statement.replaceAll(/\btext\b/g, 'text collate "C"') : statement;

interface Queries {
  query(query: { text: string; values: unknown[] }): Promise<PgResult>;
}

class PostgresConnection implements DatabaseConnection {
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { command, rowCount, rows } = await this.#queries.query({
      text: query.parameters.length === 0 ? inBytesOrder(query.sql) : query.sql,
      values: query.parameters.map(bindable),
    });
    const hasChanged = command === "INSERT" || command === "UPDATE" || command === "DELETE";
    return hasChanged ? { rows: rows as R[], numAffectedRows: BigInt(rowCount ?? 0) } : { rows: rows as R[] };
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query);
  }
}

/** Transactions are the store's affair (group commit), so the driver has none of its own. */
class PostgresDriver implements Driver {
  readonly #connection: PostgresConnection;

  constructor(queries: Queries) {
    this.#connection = new PostgresConnection(queries);
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

/** On a pool, each query takes a client for itself. */
export function kyselyOn(queries: Queries): Kysely<Tables> {
  const dialect: Dialect = {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new PostgresDriver(queries),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
  return new Kysely<Tables>({ dialect });
}
