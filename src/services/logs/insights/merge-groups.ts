// The lines of several log groups in one order, newest first: each group is a range of an index, and ranges are merged.
import type { LogEventRow } from "../stream-events.ts";

/** The most lines handed on at a time, and so the longest stretch without a turn for others. */
const sliceRows = 200;
const sliceCharacters = 100_000;

/** Slices of the lines that `scans` yield (each newest first), newest first; never an empty one. */
export async function* mergeGroups(
  scans: readonly AsyncGenerator<readonly LogEventRow[]>[],
): AsyncGenerator<readonly LogEventRow[]> {
  const [only] = scans;
  if (only && scans.length === 1) {
    for await (const rows of only) yield* slices(rows);
    return;
  }
  let lanes = scans.map((scan) => ({ scan, rows: [] as readonly LogEventRow[], next: 0 }));
  for (;;) {
    for (const lane of lanes.filter(({ rows, next }) => next === rows.length)) {
      const step = await lane.scan.next();
      lane.rows = step.done === true ? [] : step.value;
      lane.next = 0;
    }
    lanes = lanes.filter(({ rows }) => rows.length > 0);
    if (lanes.length === 0) return;
    yield* slices(newestOf(lanes));
  }
}

interface Lane {
  readonly rows: readonly LogEventRow[];
  next: number;
}

/** Until one lane is empty: what it will hold next may be newer than what the others have. */
function newestOf(lanes: readonly Lane[]): readonly LogEventRow[] {
  const taken: LogEventRow[] = [];
  for (;;) {
    let newest: Lane | undefined;
    for (const lane of lanes) {
      const row = lane.rows[lane.next];
      if (!row) return taken;
      if (!newest || row.at > (newest.rows[newest.next]?.at ?? 0)) newest = lane;
    }
    const row = newest?.rows[newest.next];
    if (!newest || !row) return taken;
    newest.next++;
    taken.push(row);
  }
}

function* slices(rows: readonly LogEventRow[]): Generator<readonly LogEventRow[]> {
  let [from, characters] = [0, 0];
  for (const [at, { message }] of rows.entries()) {
    characters += message.length;
    if (at + 1 - from < sliceRows && characters < sliceCharacters) continue;
    yield rows.slice(from, at + 1);
    [from, characters] = [at + 1, 0];
  }
  if (from < rows.length) yield rows.slice(from);
}
