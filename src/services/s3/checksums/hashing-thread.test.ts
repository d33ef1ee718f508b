import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { HashingThread } from "./hashing-thread.ts";

const large = 5 * 1_024 * 1_024;
const md5 = (...chunks: readonly Uint8Array[]): string => {
  const hash = createHash("md5");
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
};

async function digestOf(thread: HashingThread, sizeBytes: number | undefined, chunks: readonly Uint8Array[]) {
  const running = thread.startMd5(sizeBytes);
  for (const chunk of chunks) await running.update(chunk);
  return (await running.digest()).toString("hex");
}

test.each([
  ["of known size, small", 3, [Buffer.from("abc")]],
  ["of unknown size", undefined, [Buffer.from("abc"), Buffer.from("def")]],
  ["empty, though said to be large", large, []],
  ["in one piece larger than all buffers", large, [randomBytes(6 * 1_024 * 1_024)]],
  ["in pieces of odd sizes", large, Array.from({ length: 40 }, (_, at) => randomBytes(100_003 + at * 7_919))],
  ["that fills its buffers exactly", large, Array.from({ length: 10 }, () => randomBytes(512 * 1_024))],
])("the MD5 of a body %s is that of its bytes", async (_, sizeBytes, chunks) => {
  expect(await digestOf(new HashingThread(), sizeBytes, chunks)).toBe(md5(...chunks));
});

test("bodies at the same time do not mix, and a dropped one leaves the others alone", async () => {
  const thread = new HashingThread();
  const bodies = Array.from({ length: 5 }, () => Array.from({ length: 60 }, () => randomBytes(100_000)));
  const dropped = thread.startMd5(large);
  await dropped.update(randomBytes(700_000));
  const digests = bodies.map((chunks) => digestOf(thread, large, chunks));
  dropped.drop();
  expect(await Promise.all(digests)).toEqual(bodies.map((chunks) => md5(...chunks)));
});

test("what a caller does with its bytes afterwards changes nothing", async () => {
  const bytes = Buffer.alloc(large, "a");
  const running = new HashingThread().startMd5(large);
  await running.update(bytes);
  bytes.fill("b");
  expect((await running.digest()).toString("hex")).toBe(md5(Buffer.alloc(large, "a")));
});
