import { expect, test } from "vitest";
import type { RowGroup } from "../channel.ts";
import type { Row } from "../rows.ts";
import { scoreRows } from "./evaluate.ts";
import { type Centroids, nearestFinder } from "./kmeans-model.ts";
import { seededUniform } from "./numbers.ts";

const [k, width] = [7, 90];

interface Data {
  readonly centroids: Centroids;
  readonly rows: readonly Float32Array[];
}

/** Rows around `far` of which a share is not zero; the centroids are like rows. */
function dataOf(share: number, far: number): Data {
  const uniform = seededUniform(5);
  const row = (): Float32Array =>
    Float32Array.from({ length: width }, () => (uniform() < share ? far + uniform() * 10 : 0));
  const values = new Float32Array(k * width);
  for (let centroid = 0; centroid < k; centroid++) values.set(row(), centroid * width);
  return { centroids: { k, width, values }, rows: Array.from({ length: 5_300 }, row) };
}

const asSparse = (row: Float32Array): Row => {
  const keys = [...row.keys()].filter((key) => row[key] !== 0);
  return { width, keys, values: Float32Array.from(keys, (key) => row[key]!) };
};

async function* inGroups(rows: readonly Row[]): AsyncGenerator<RowGroup> {
  for (let from = 0; from < rows.length; from += 333)
    yield { rows: rows.slice(from, from + 333), where: (index) => `record ${from + index}` };
}

const stop = new AbortController().signal;

test.each([
  ["dense rows", 1, 0],
  ["mostly zero rows", 0.1, 0],
  ["rows far from zero", 1, 10_000],
])("%s score as the plain reference does, within a millionth", async (_, share, far) => {
  const { centroids, rows } = dataOf(share, far);
  const nearestTo = nearestFinder(centroids);
  const expected = rows.reduce((sum, row) => sum + nearestTo(row).squaredDistance, 0);
  for (const forceDense of [false, true]) {
    const { rowCount, squared } = await scoreRows(centroids, inGroups(rows), { forceDense, stop });
    expect(rowCount).toBe(rows.length);
    expect(Math.abs(squared / expected - 1)).toBeLessThan(1e-6);
  }
});

test("sparse rows score as the same rows dense", async () => {
  const { centroids, rows } = dataOf(0.1, 0);
  const dense = await scoreRows(centroids, inGroups(rows), { forceDense: false, stop });
  const sparse = await scoreRows(centroids, inGroups(rows.map(asSparse)), { forceDense: false, stop });
  expect(Math.abs(sparse.squared / dense.squared - 1)).toBeLessThan(1e-6);
});

test("a row on its centroid scores zero, however large its values are", async () => {
  const { centroids } = dataOf(1, 1_000_000);
  const rows = [centroids.values.slice(0, width), centroids.values.slice(width, 2 * width)];
  expect((await scoreRows(centroids, inGroups(rows), { forceDense: false, stop })).squared).toBe(0);
});
