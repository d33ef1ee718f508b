import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type BlockLayout, CentroidAssigner, type ChunkRunner, chunkRows, layOut } from "./centroid-assigner.ts";
import { createReferenceRunner } from "./reference-runner.ts";
import { createThreadRunner } from "./thread-runner.ts";

interface Problem {
  readonly width: number;
  readonly centroidCount: number;
  readonly rowCount: number;
  readonly rows: Float32Array;
  readonly centroids: Float32Array;
  readonly isSparse: boolean;
}

/** Small integers: every sum is exact, so fused, relaxed and plain arithmetic must agree to the last bit. */
const wholeNumber = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.integer({ min: -8, max: 8 }));

const problem: fc.Arbitrary<Problem> = fc
  .tuple(
    fc.integer({ min: 1, max: 19 }),
    fc.integer({ min: 1, max: 30 }),
    fc.integer({ min: 1, max: 150 }),
    fc.boolean(),
  )
  .chain(([width, centroidCount, rowCount, isSparse]) => {
    const numbers = (count: number): fc.Arbitrary<Float32Array> =>
      fc.array(wholeNumber, { minLength: count, maxLength: count }).map((values) => Float32Array.from(values));
    return fc.record({
      width: fc.constant(width),
      centroidCount: fc.constant(centroidCount),
      rowCount: fc.constant(rowCount),
      isSparse: fc.constant(isSparse),
      rows: numbers(rowCount * width),
      centroids: numbers(centroidCount * width),
    });
  });

interface Answer {
  readonly nearest: number[];
  readonly scores: number[];
  readonly sums: number[];
  readonly members: number[];
}

async function solve(problem: Problem, createRunner: (layout: BlockLayout) => ChunkRunner): Promise<Answer> {
  const { width, centroidCount, rowCount, isSparse } = problem;
  const layout = layOut({ width, centroidCount, wantedRows: 300 });
  const assigner = new CentroidAssigner(layout, createRunner(layout));
  assigner.values.set(problem.rows);
  assigner.setCentroids(problem.centroids);
  await assigner.run({ rowCount, isSparse, compresses: isSparse, sums: true });
  const sums = new Float64Array(centroidCount * width);
  const members = new Float64Array(centroidCount);
  assigner.addSums(sums, members);
  const answer = {
    nearest: [...assigner.nearest.subarray(0, rowCount)],
    scores: [...assigner.scores.subarray(0, rowCount)],
    sums: [...sums],
    members: [...members],
  };
  assigner.close();
  return answer;
}

test("the WebAssembly kernels equal the reference, dense and sparse", async () => {
  await fc.assert(
    fc.asyncProperty(problem, async (problem) => {
      const fast = await solve(problem, (layout) => createThreadRunner(layout, 1));
      expect(fast).toEqual(await solve(problem, createReferenceRunner));
    }),
  );
});

test("the reference finds the nearest centroid and adds its rows up", async () => {
  await fc.assert(
    fc.asyncProperty(problem, async (problem) => {
      const { width, centroidCount, rowCount, rows, centroids } = problem;
      const { nearest, scores, members, sums } = await solve(problem, createReferenceRunner);
      const scoreOf = (row: number, centroid: number): number => {
        let score = 0;
        for (let at = 0; at < width; at++) {
          const mean = centroids[centroid * width + at]!;
          score += mean * mean - 2 * mean * rows[row * width + at]!;
        }
        return score;
      };
      for (let row = 0; row < rowCount; row++) {
        const all = Array.from({ length: centroidCount }, (_, centroid) => scoreOf(row, centroid));
        expect(scores[row]).toBe(Math.min(...all));
        expect(nearest[row]).toBe(all.indexOf(Math.min(...all)));
      }
      expect(members.reduce((sum, count) => sum + count, 0)).toBe(rowCount);
      expect(sums.reduce((sum, value) => sum + value, 0)).toBe(rows.reduce((sum, value) => sum + value, 0));
    }),
    { numRuns: 30 },
  );
});

/** Fractions, whose sums depend on their order. */
const fractions = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, at) => (Math.sin(at * 12.9898 + seed) * 43_758.5453) % 1);

test("the number of threads changes no bit of the result", async () => {
  for (const isSparse of [false, true]) {
    const problem = {
      width: 33,
      centroidCount: 14,
      rowCount: 299,
      rows: fractions(299 * 33, 1),
      centroids: fractions(14 * 33, 2),
      isSparse,
    };
    const one = await solve(problem, (layout) => createThreadRunner(layout, 1));
    expect(await solve(problem, (layout) => createThreadRunner(layout, 2))).toEqual(one);
    expect(await solve(problem, (layout) => createThreadRunner(layout, 3))).toEqual(one);
  }
});

test("fractions agree with the reference within float32 rounding", async () => {
  const problem = {
    width: 257,
    centroidCount: 20,
    rowCount: 130,
    rows: fractions(130 * 257, 3),
    centroids: fractions(20 * 257, 4),
    isSparse: false,
  };
  const fast = await solve(problem, (layout) => createThreadRunner(layout, 1));
  const plain = await solve(problem, createReferenceRunner);
  fast.scores.forEach((score, row) => expect(Math.abs(score - plain.scores[row]!)).toBeLessThan(257 * 2 ** -22 * 16));
});

test("chunks cover every row once, whatever the block", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5_000 }), fc.nat(6_000), (wantedRows, rows) => {
      const layout = layOut({ width: 3, centroidCount: 2, wantedRows });
      const rowCount = Math.min(rows, layout.rowCapacity);
      let next = 0;
      for (let chunk = 0; chunk < layout.chunkCount; chunk++) {
        const { first, count } = chunkRows(layout, rowCount, chunk);
        if (count > 0) expect(first).toBe(next);
        next += count;
      }
      expect(next).toBe(rowCount);
    }),
  );
});

test("what WebAssembly cannot address is refused in words", () => {
  const layout = layOut({ width: 1_000_000, centroidCount: 2_000, wantedRows: 1 });
  expect(() => createThreadRunner(layout, 1)).toThrow("fewer centres, or fewer features");
});

/** Takes one chunk of a block and is gone. The words of the control block: 0 generation, 1 next chunk, 5 flags. */
const dyingWorker = (end: string): string => `
const { workerData: { control, layout } } = process.getBuiltinModule("node:worker_threads");
Atomics.wait(control, 0, 0);
if (Atomics.add(control, 1, 1) < layout[0]) ${end};
`;

test.each([
  ["by an error", 'throw new Error("the kernel trapped")', "the kernel trapped"],
  ["without a word", "process.exit(7)", "exit code 7"],
])("a thread that dies inside a chunk, %s, fails the block instead of hanging it", async (_, end, why) => {
  const layout = layOut({ width: 784, centroidCount: 200, wantedRows: 4_000 });
  const assigner = new CentroidAssigner(layout, createThreadRunner(layout, 2, dyingWorker(end)));
  assigner.setCentroids(fractions(200 * 784, 1));
  const work = { rowCount: 4_000, isSparse: false, compresses: false, sums: false };
  // A worker that starts too late for one block takes a chunk of a later one.
  const blocks = async (): Promise<void> => {
    for (let block = 0; block < 2_000; block++) await assigner.run(work);
  };
  await expect(blocks()).rejects.toThrow(`a kernel thread ended before its work was done: ${why}`);
  assigner.close();
});
