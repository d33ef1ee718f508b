import { expect, test } from "vitest";
import { freeChunk, lending, lentChunks } from "./lent-chunks.ts";

test("a source that lends nothing gives its chunks as ever", async () => {
  const given = (async function* () {
    yield Buffer.from("a");
  })();
  expect(lentChunks(given)).toBe(given);
});

test("a lender is asked for its lent chunks", async () => {
  const source = lending(
    (async function* () {
      yield Buffer.from("given");
    })(),
    async function* () {
      yield Buffer.from("lent");
    },
  );
  expect((await Array.fromAsync(lentChunks(source))).map(String)).toEqual(["lent"]);
});

test("freeing takes whole large buffers and leaves slices and small ones", () => {
  const whole = new Uint8Array(65_536);
  freeChunk(whole);
  expect(whole.byteLength).toBe(0);
  const shared = new Uint8Array(65_536);
  freeChunk(shared.subarray(1));
  const small = new Uint8Array(100);
  freeChunk(small);
  expect([shared.byteLength, small.byteLength]).toEqual([65_536, 100]);
});
