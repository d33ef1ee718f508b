// Salvia's side of the Lloyd bench: the kernels over rows that stay in memory, one assigner, `passes` passes.
import { availableParallelism } from "node:os";
import { CentroidAssigner, layOut } from "../../src/kernels/centroid-assigner.ts";
import { createThreadRunner } from "../../src/kernels/thread-runner.ts";

export interface Passes {
  readonly msPerPass: number;
  readonly inertia: number;
}

export interface LloydBench {
  /** From the same starting centres each time. */
  run(passes: number): Promise<Passes>;
  close(): void;
}

/** @param isSparse whether the rows are compressed first, once, as the automatic choice does below its density */
export async function createLloydBench(
  rows: Float32Array,
  width: number,
  centres: Float32Array,
  isSparse: boolean,
): Promise<LloydBench> {
  const centroidCount = centres.length / width;
  const rowCount = rows.length / width;
  const layout = layOut({ width, centroidCount, wantedRows: rowCount, maxValues: rows.length });
  const assigner = new CentroidAssigner(layout, createThreadRunner(layout, availableParallelism()));
  assigner.values.set(rows);
  const norms = rows.reduce((sum, value) => sum + value * value, 0);
  assigner.setCentroids(centres);
  await assigner.run({ rowCount, isSparse, compresses: isSparse, sums: true });
  return {
    async run(passes) {
      const current = Float64Array.from(centres);
      const started = performance.now();
      for (let pass = 0; pass < passes; pass++) {
        assigner.setCentroids(current);
        await assigner.run({ rowCount, isSparse, compresses: false, sums: true });
        const sums = new Float64Array(current.length);
        const members = new Float64Array(centroidCount);
        assigner.addSums(sums, members);
        for (let at = 0; at < sums.length; at++) {
          const count = members[Math.floor(at / width)]!;
          if (count > 0) current[at] = sums[at]! / count;
        }
      }
      const msPerPass = (performance.now() - started) / passes;
      assigner.setCentroids(current);
      await assigner.run({ rowCount, isSparse, compresses: false, sums: false });
      return { msPerPass, inertia: norms + assigner.scores.reduce((sum, score) => sum + score, 0) };
    },
    close: () => assigner.close(),
  };
}
