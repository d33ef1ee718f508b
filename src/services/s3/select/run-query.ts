// Records in, rows out.
import { Aggregate } from "./aggregate.ts";
import { evaluate, isTrue } from "./evaluate.ts";
import type { Query } from "./expression.ts";
import type { SelectRecord, Value } from "./record.ts";
import type { Row } from "./write-row.ts";

function rowOf({ columns }: Query, record: SelectRecord | undefined, totals?: readonly Value[]): Row {
  if (!columns) return record?.entries() ?? [];
  return columns.map(({ expression, name }, at) => [name ?? `_${at + 1}`, evaluate(expression, record, totals)]);
}

/** Stops reading once the limit is met. */
export async function* runQuery(query: Query, records: AsyncIterable<SelectRecord>): AsyncGenerator<Row> {
  const { where, limit = Number.POSITIVE_INFINITY } = query;
  const aggregates = query.aggregates.map((aggregate) => new Aggregate(aggregate));
  let count = 0;
  if (limit === 0) return;
  for await (const record of records) {
    if (where && !isTrue(evaluate(where, record))) continue;
    if (aggregates.length > 0) {
      for (const aggregate of aggregates) aggregate.add(record);
      continue;
    }
    yield rowOf(query, record);
    if (++count >= limit) return;
  }
  if (aggregates.length === 0) return;
  yield rowOf(
    query,
    undefined,
    aggregates.map(({ total }) => total),
  );
}
