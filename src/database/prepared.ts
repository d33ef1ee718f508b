// Queries that are compiled once per database and not on every request.
import type { Compilable, CompiledQuery } from "kysely";
import type { Reader } from "./store.ts";

/**
 * `build` writes the query with any values in the places of its parameters; a call gives the real ones, in the order in
 * which they stand in the query. The memory is a pure memo: it dies with its database.
 */
export function prepared<Row>(
  build: (reader: Reader) => Compilable<Row>,
): (reader: Reader, parameters: readonly unknown[]) => Promise<readonly Row[]> {
  const compiledFor = new WeakMap<Reader, CompiledQuery<Row>>();
  return async (reader, parameters) => {
    let compiled = compiledFor.get(reader);
    if (!compiled) {
      compiled = build(reader).compile();
      compiledFor.set(reader, compiled);
    }
    const query: CompiledQuery<Row> = { ...compiled, parameters };
    return (await reader.executeQuery<Row>(query)).rows;
  };
}
