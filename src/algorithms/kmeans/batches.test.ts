import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { RowGroup } from "../channel.ts";
import type { Row } from "../rows.ts";
import { inBatches, readAhead, resume, sampleOf } from "./batches.ts";
import { seededUniform } from "./numbers.ts";

const valueOf = (row: Row): number => (row as Float32Array)[0]!;

/** Groups of the given sizes; row n holds n and says that it is record n of its file. */
function groupsOf(sizes: readonly number[]): RowGroup[] {
  let next = 0;
  return sizes.map((size) => {
    const first = next;
    next += size;
    const rows = Array.from({ length: size }, (_, at) => Float32Array.of(first + at));
    return { rows, where: (index) => `record ${first + index}` };
  });
}

async function* stream(groups: readonly RowGroup[]): AsyncGenerator<RowGroup> {
  yield* groups;
}

const never = new AbortController().signal;

test("batches hold every row once, in order, and know where each stands", async () => {
  const sizes = fc.array(fc.nat(40), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1, max: 50 }), fc.nat(8_000), async (sizes, batchSize, maxBytes) => {
      const rest = stream(groupsOf(sizes));
      const held = await readAhead(rest, maxBytes, never);
      const seen: number[] = [];
      const batchSizes: number[] = [];
      for await (const batch of inBatches(resume(held, rest), batchSize)) {
        batch.rows.forEach((row, index) => expect(batch.where(index)).toBe(`record ${valueOf(row)}`));
        seen.push(...batch.rows.map(valueOf));
        batchSizes.push(batch.rows.length);
      }
      const total = sizes.reduce((sum, size) => sum + size, 0);
      expect(seen).toEqual(Array.from({ length: total }, (_, at) => at));
      expect(batchSizes.slice(0, -1).every((size) => size === batchSize)).toBe(true);
    }),
  );
});

test("reading ahead ends at the limit, and at once when the job is asked to stop", async () => {
  const groups = groupsOf([10, 10, 10, 10]);
  expect(await readAhead(stream(groups), 15 * 164, never)).toHaveLength(2);
  const seen: number[] = [];
  expect(await readAhead(stream(groups), 1e9, never, (rows) => seen.push(rows))).toHaveLength(4);
  expect(seen).toEqual([10, 20, 30, 40]);
  expect(await readAhead(stream(groups), 1e9, AbortSignal.abort())).toHaveLength(0);
});

test("a reader that is left in the middle is closed", async () => {
  let isClosed = false;
  async function* endless(): AsyncGenerator<RowGroup> {
    try {
      for (;;) yield* groupsOf([3]);
    } finally {
      isClosed = true;
    }
  }
  const rest = endless();
  const held = await readAhead(rest, 1_000, never);
  for await (const batch of inBatches(resume(held, rest), 4)) if (batch.rows.length > 0) break;
  expect(isClosed).toBe(true);
});

test("a sample takes no row twice and comes from everywhere", () => {
  const sample = sampleOf(groupsOf([500, 500]), 200, seededUniform(1)).map(valueOf);
  expect(new Set(sample).size).toBe(200);
  expect(sample.filter((value) => value >= 500).length).toBeGreaterThan(70);
  expect(sample.filter((value) => value < 500).length).toBeGreaterThan(70);
  expect(sampleOf(groupsOf([3]), 200, seededUniform(1))).toHaveLength(3);
});
