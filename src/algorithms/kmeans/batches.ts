// A channel's rows as k-means takes them: the first ones held back until starting centres are drawn from among them, then
// in mini-batches.
import type { RowGroup } from "../channel.ts";
import { isDense, type Row } from "../rows.ts";
import { pickDistinct, type Uniform } from "./numbers.ts";

/** What a row costs beside its numbers, roughly. */
const rowOverheadBytes = 160;

const bytesOf = (row: Row): number => (isDense(row) ? row.byteLength : 12 * row.values.length) + rowOverheadBytes;

/**
 * The groups up to `maxBytes`, or all there are. Ends early when asked to stop. A sample of these is a sample of the
 * whole data as long as that fits into `maxBytes`.
 */
export async function readAhead(
  groups: AsyncIterator<RowGroup>,
  maxBytes: number,
  stop: AbortSignal,
  onRows: (heldRows: number) => void = () => undefined,
): Promise<RowGroup[]> {
  const held: RowGroup[] = [];
  let heldBytes = 0;
  let heldRows = 0;
  while (heldBytes < maxBytes && !stop.aborted) {
    const next = await groups.next();
    if (next.done === true) break;
    held.push(next.value);
    for (const row of next.value.rows) heldBytes += bytesOf(row);
    heldRows += next.value.rows.length;
    onRows(heldRows);
  }
  return held;
}

/** The groups that were held, each let go once it is handed on, then the rest. */
export async function* resume(held: RowGroup[], rest: AsyncIterator<RowGroup>): AsyncGenerator<RowGroup> {
  try {
    for (let group = held.shift(); group; group = held.shift()) yield group;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** Up to `count` rows drawn from everywhere among the groups, each row as likely as any other. */
export function sampleOf(groups: readonly RowGroup[], count: number, uniform: Uniform): Row[] {
  const rows = groups.flatMap((group) => group.rows);
  return pickDistinct(rows.length, Math.min(count, rows.length), uniform).map((index) => rows[index]!);
}

class Batch implements RowGroup {
  readonly rows: Row[] = [];
  readonly #parts: { readonly at: number; readonly group: RowGroup; readonly from: number }[] = [];

  /** Takes rows of the group from `from` on until the batch is full; returns where it stopped. */
  fill(group: RowGroup, from: number, size: number): number {
    this.#parts.push({ at: this.rows.length, group, from });
    const to = Math.min(group.rows.length, from + size - this.rows.length);
    for (let index = from; index < to; index++) this.rows.push(group.rows[index]!);
    return to;
  }

  where(index: number): string {
    const part = this.#parts.findLast(({ at }) => at <= index);
    return part ? part.group.where(index - part.at + part.from) : `row ${index + 1}`;
  }
}

/** Rows in batches of the given size; the last one may be smaller. */
export async function* inBatches(groups: AsyncIterable<RowGroup>, size: number): AsyncGenerator<RowGroup> {
  let batch = new Batch();
  for await (const group of groups) {
    for (let from = 0; from < group.rows.length;) {
      from = batch.fill(group, from, size);
      if (batch.rows.length < size) continue;
      yield batch;
      batch = new Batch();
    }
  }
  if (batch.rows.length > 0) yield batch;
}
