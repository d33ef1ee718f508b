// Puts rows into an assigner's block, in the layout that suits them.
import type { CentroidAssigner } from "../../kernels/centroid-assigner.ts";
import { isDense, type Row } from "../rows.ts";
import { type RowPlan, without } from "./row-plan.ts";

interface FilledBlock {
  readonly rowCount: number;
  readonly isSparse: boolean;
  readonly compresses: boolean;
}

function writeDense(assigner: CentroidAssigner, rows: readonly Row[]): void {
  const { width } = assigner.layout;
  rows.forEach((row, index) => {
    const at = index * width;
    if (isDense(row)) {
      assigner.values.set(row, at);
      return;
    }
    assigner.values.fill(0, at, at + width);
    for (let entry = 0; entry < row.keys.length; entry++) assigner.values[at + row.keys[entry]!]! += row.values[entry]!;
  });
}

function writeSparse(assigner: CentroidAssigner, rows: readonly Row[]): void {
  let at = 0;
  rows.forEach((row, index) => {
    if (isDense(row)) throw new TypeError("a dense row in a sparse block");
    assigner.starts[index] = at;
    assigner.lengths[index] = row.values.length;
    assigner.values.set(row.values, at);
    assigner.indices.set(row.keys, at);
    at += row.values.length;
  });
}

/** @param isMostlyZero whether dense rows are worth compressing */
function fillBlock(assigner: CentroidAssigner, rows: readonly Row[], isMostlyZero: boolean): FilledBlock {
  // A sparse row may repeat a key, so it can hold more entries than features: the dense layout adds them up.
  const areSparse = rows.every((row) => !isDense(row) && row.values.length <= row.width);
  if (areSparse && isMostlyZero) {
    writeSparse(assigner, rows);
    return { rowCount: rows.length, isSparse: true, compresses: false };
  }
  writeDense(assigner, rows);
  return { rowCount: rows.length, isSparse: isMostlyZero, compresses: isMostlyZero };
}

/**
 * Runs the rows through the assigner, block by block; after each one `take` finds their nearest centroids and scores in
 * it. `block` is what the kernels saw: the rows without the plan's offset.
 */
export async function assignRows(
  assigner: CentroidAssigner,
  plan: RowPlan,
  rows: readonly Row[],
  sums: boolean,
  take: (block: readonly Row[], first: number) => void,
): Promise<void> {
  const { offset } = plan;
  for (let first = 0; first < rows.length; first += assigner.layout.rowCapacity) {
    const given = rows.slice(first, first + assigner.layout.rowCapacity);
    const block = offset ? given.map((row) => without(row, offset)) : given;
    await assigner.run({ ...fillBlock(assigner, block, plan.isMostlyZero), sums });
    take(block, first);
  }
}
