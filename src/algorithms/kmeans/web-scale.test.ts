import { expect, test } from "vitest";
import { CentroidAssigner, layOut } from "../../kernels/centroid-assigner.ts";
import { createReferenceRunner } from "../../kernels/reference-runner.ts";
import type { RowGroup } from "../channel.ts";
import type { Row } from "../rows.ts";
import { lloyd } from "./lloyd.ts";
import { seededUniform } from "./numbers.ts";
import { WebScaleKMeans } from "./web-scale.ts";

function createModel(width: number, centreCount: number, halfLifePoints = 0): WebScaleKMeans {
  return new WebScaleKMeans({
    width,
    centreCount,
    initMethod: "kmeans++",
    halfLifePoints,
    forceDense: false,
    uniform: seededUniform(1),
    createAssigner: (width, centroidCount) => {
      const layout = layOut({ width, centroidCount, wantedRows: 100 });
      return new CentroidAssigner(layout, createReferenceRunner(layout));
    },
  });
}

const batchOf = (rows: readonly Row[]): RowGroup => ({ rows, where: (index) => `row ${index}` });

/** Begins with these rows, then takes them. */
async function takeFirst(model: WebScaleKMeans, rows: readonly Row[]): Promise<void> {
  model.begin(rows);
  await model.take(batchOf(rows));
}

const rowsAt = (value: number, count: number): Row[] => Array.from({ length: count }, () => Float32Array.of(value));

test("100 old points at 0 and 25 new ones at 1 move a centre by 25 / (100 + 25)", async () => {
  const model = createModel(1, 1);
  await takeFirst(model, rowsAt(0, 100));
  await model.take(batchOf(rowsAt(1, 25)));
  const { values, weights } = model.points();
  expect(values[0]).toBeCloseTo(0.2, 10);
  expect([...weights]).toEqual([125]);
});

test("after a half-life an old point counts half", async () => {
  const model = createModel(1, 1, 25);
  await takeFirst(model, rowsAt(0, 100));
  await model.take(batchOf(rowsAt(1, 25)));
  const { values, weights } = model.points();
  expect([...weights]).toEqual([75]);
  expect(values[0]).toBeCloseTo(25 / 75, 10);
});

test("sparse rows and the same rows dense give the same centres", async () => {
  const dense = Array.from({ length: 60 }, (_, at) =>
    Float32Array.from({ length: 12 }, (_, feature) => (feature === at % 4 ? 8 + (at % 3) : 0)),
  );
  const sparse = dense.map((row, at): Row => ({ width: 12, keys: [at % 4], values: row.slice(at % 4, (at % 4) + 1) }));
  const [one, other] = [createModel(12, 4), createModel(12, 4)];
  await takeFirst(one, dense);
  await takeFirst(other, sparse);
  expect(other.points()).toEqual(one.points());
});

test("clusters far from zero are told apart all the same", async () => {
  const far = 1_000_000;
  const rows = Array.from({ length: 90 }, (_, at) =>
    Float32Array.from({ length: 4 }, (_, feature) => far + (at % 3) * 4 + (feature % 2)),
  );
  const model = createModel(4, 3);
  await takeFirst(model, rows);
  const { centres } = lloyd(
    model.points(),
    3,
    { initMethod: "kmeans++", maxIterations: 10, tolerance: 0, trials: 3 },
    seededUniform(2),
  );
  expect([centres[0]! - far, centres[4]! - far, centres[8]! - far].map(Math.round).sort((a, b) => a - b)).toEqual([
    0, 4, 8,
  ]);
});
