// Queries that are compiled once per database and not on every request.
import type { Compilable, CompiledQuery, QueryResult } from "kysely";
import type { Reader, Writer } from "./store.ts";

/** The memory is a pure memo: it dies with its database. */
function memo<Row, Connection extends Reader>(build: (connection: Connection) => Compilable<Row>) {
  const compiledFor = new WeakMap<Connection, CompiledQuery<Row>>();
  return (connection: Connection, parameters: readonly unknown[]): Promise<QueryResult<Row>> => {
    let compiled = compiledFor.get(connection);
    if (!compiled) {
      compiled = build(connection).compile();
      compiledFor.set(connection, compiled);
    }
    return connection.executeQuery<Row>({ ...compiled, parameters });
  };
}

/**
 * `build` writes the query with any values in the places of its parameters; a call gives the real ones, in the order in
 * which they stand in the query.
 */
export function prepared<Row>(
  build: (reader: Reader) => Compilable<Row>,
): (reader: Reader, parameters: readonly unknown[]) => Promise<readonly Row[]> {
  const run = memo(build);
  return async (reader, parameters) => (await run(reader, parameters)).rows;
}

/** The same for an insert, update or delete; answers how many rows it changed. */
export function preparedChange(
  build: (tx: Writer) => Compilable,
): (tx: Writer, parameters: readonly unknown[]) => Promise<bigint> {
  const run = memo(build);
  return async (tx, parameters) => (await run(tx, parameters)).numAffectedRows ?? 0n;
}
