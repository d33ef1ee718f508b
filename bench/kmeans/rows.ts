// Generated rows that look like digits: ten strokes on a 28 × 28 grid, moved and roughened, 19 % of the values not zero.
import { closeSync, openSync, writeSync } from "node:fs";
import { seededUniform } from "../../src/algorithms/kmeans/numbers.ts";
import { encodeRecord } from "../../src/formats/record-protobuf.ts";
import { encodeRecordIo } from "../../src/formats/recordio.ts";

export const side = 28;
export const width = side * side;
export const k = 10;
const strokePoints = 9;

/** `count` rows of `width` values, row-major. */
export function generateRows(count: number): Float32Array {
  const uniform = seededUniform(7);
  const between = (low: number, high: number): number => low + uniform() * (high - low);
  const strokes = Array.from({ length: k }, () =>
    Array.from({ length: strokePoints }, () => [between(6, 21), between(5, 22)] as const),
  );
  const rows = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    const [dx, dy] = [between(-2, 2), between(-2, 2)];
    for (const [x, y] of strokes[row % k] ?? []) {
      const [cx, cy, radius] = [x + dx + between(-1, 1), y + dy + between(-1, 1), between(2.05, 3.1)];
      for (let py = Math.max(0, Math.ceil(cy - radius)); py <= Math.min(side - 1, cy + radius); py++) {
        for (let px = Math.max(0, Math.ceil(cx - radius)); px <= Math.min(side - 1, cx + radius); px++) {
          const distance = Math.hypot(px - cx, py - cy) / radius;
          const at = row * width + py * side + px;
          if (distance < 1) rows[at] = Math.max(rows[at]!, Math.fround(1 - distance * distance));
        }
      }
    }
  }
  return rows;
}

export const densityOfRows = (rows: Float32Array): number =>
  rows.reduce((count, value) => count + (value === 0 ? 0 : 1), 0) / rows.length;

/** The rows as RecordIO-protobuf, the way the SDK uploads them. */
export function writeRecordIoFile(path: string, rows: Float32Array): void {
  const file = openSync(path, "w");
  const perWrite = 1_000 * width;
  for (let from = 0; from < rows.length; from += perWrite) {
    const records: Uint8Array[] = [];
    for (let at = from; at < Math.min(rows.length, from + perWrite); at += width) {
      const values = rows.subarray(at, at + width);
      records.push(encodeRecordIo(encodeRecord({ features: new Map([["values", { type: "float32", values }]]) })));
    }
    writeSync(file, Buffer.concat(records));
  }
  closeSync(file);
}
