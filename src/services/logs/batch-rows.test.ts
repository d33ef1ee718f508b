// Long lines must not be read by the thousand.
import { expect, test } from "vitest";
import { nextBatchRows } from "./batch-rows.ts";
import { mergeStreams, scanGroup, type GroupRange } from "./event-scan.ts";
import { createFakeLogs } from "./logs.fake.ts";

const lineBytes = 100_000;
const lines = 300;

async function longLines() {
  const logs = await createFakeLogs();
  const message = "x".repeat(lineBytes);
  await logs.append(
    "g",
    "s",
    Array.from({ length: lines }, (_, index) => ({ timestamp: 1_000 + index, message })),
  );
  const stream = await logs.store.read.selectFrom("log_streams").select(["id", "group_id"]).executeTakeFirstOrThrow();
  const window = { from: 0, before: Number.MAX_SAFE_INTEGER };
  const range: GroupRange = { groupId: stream.group_id, window, cut: undefined, isForward: true };
  return { reader: logs.store.read, range, streamId: stream.id };
}

test.each(["group", "streams"])(
  "a scan of a %s with long lines holds few of them at a time, and all in order",
  async (what) => {
    const { reader, range, streamId } = await longLines();
    const scan = what === "group" ? scanGroup(reader, range) : mergeStreams(reader, [streamId], range);
    const times: number[] = [];
    let largest = 0;
    for await (const batch of scan) {
      largest = Math.max(largest, batch.length);
      times.push(...batch.map(({ at }) => at));
    }
    expect(times).toEqual(Array.from({ length: lines }, (_, index) => 1_000 + index));
    expect(largest * lineBytes).toBeLessThan(10_000_000);
  },
);

test("batches of short lines double up to the most, and shrink at once for long ones", () => {
  const short = Array.from({ length: 64 }, () => ({ message: "short" }));
  expect(nextBatchRows(short, 4_000_000, 2_000)).toBe(128);
  expect(nextBatchRows(short, 4_000_000, 100)).toBe(100);
  expect(nextBatchRows([{ message: "" }], 4_000_000, 2_000)).toBe(2);
  expect(nextBatchRows([{ message: "x".repeat(5_000_000) }], 4_000_000, 2_000)).toBe(1);
});
