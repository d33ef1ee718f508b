// One member, whatever the blocks; read by everybody.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { gzipInParallel } from "./gzip-in-parallel.ts";

const mebibyte = 1 << 20;

async function* chunksOf(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? bytes.length;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const zipped = (bytes: Buffer, sizes: readonly number[] = [262_144], blocksAtOnce?: number): Promise<Buffer> =>
  buffer(gzipInParallel(chunksOf(bytes, sizes), blocksAtOnce));

/** Of every kind that a sample can tell: text, numbers of a narrow range, noise, and all of them beside each other. */
function bytesOf(kind: "text" | "numbers" | "noise" | "mixed", length: number): Buffer {
  if (kind === "noise") return randomBytes(length);
  if (kind === "text") return Buffer.alloc(length, "the weights of a model, in words. ");
  if (kind === "numbers") return randomBytes(length).map((byte) => byte & 0x1f) as Buffer;
  const third = Math.floor(length / 3);
  return Buffer.concat([bytesOf("text", third), bytesOf("noise", third), bytesOf("numbers", length - 2 * third)]);
}

const kinds = ["text", "numbers", "noise", "mixed"] as const;

test("what was put in comes out, whatever its size, its kind and the chunks it came in", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...kinds),
      fc.oneof(
        fc.integer({ min: 0, max: 3 * mebibyte }),
        fc.constantFrom(0, 1, mebibyte - 1, mebibyte, mebibyte + 1, 2 * mebibyte),
      ),
      fc.array(fc.integer({ min: 1_000, max: 3 * mebibyte }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 5 }),
      async (kind, length, sizes, blocksAtOnce) => {
        const bytes = bytesOf(kind, length);
        const found = gunzipSync(await zipped(bytes, sizes, blocksAtOnce));
        expect(found.equals(bytes)).toBe(true);
      },
    ),
    { numRuns: 40 },
  );
}, 30_000);

test("the same bytes give the same member, however they came and however many were compressed at once", async () => {
  const bytes = bytesOf("mixed", 5 * mebibyte + 17);
  const one = await zipped(bytes, [262_144], 1);
  expect((await zipped(bytes, [7_000, 1_500_000], 7)).equals(one)).toBe(true);
});

test("gzip and Python read it as one member", async () => {
  const bytes = bytesOf("mixed", 4 * mebibyte + 5);
  const member = await zipped(bytes);
  const most = { input: member, maxBuffer: 16 * mebibyte };
  expect(execFileSync("gzip", ["-dc"], most).equals(bytes)).toBe(true);
  // The decompressor stops at the end of the first member, and nothing is left after it.
  const program =
    "import sys, zlib; d = zlib.decompressobj(31); b = d.decompress(sys.stdin.buffer.read());" +
    "assert d.eof and d.unused_data == b'', len(d.unused_data); sys.stdout.buffer.write(b)";
  expect(execFileSync("python3", ["-c", program], most).equals(bytes)).toBe(true);
});

test("noise grows by less than a thousandth, what repeats shrinks as zlib shrinks it, numbers to their share of bits", async () => {
  const ratio = async (kind: (typeof kinds)[number]): Promise<number> =>
    (await zipped(bytesOf(kind, 4 * mebibyte))).length / (4 * mebibyte);
  expect(await ratio("noise")).toBeLessThan(1.001);
  expect(await ratio("text")).toBeLessThan(0.01);
  expect(await ratio("numbers")).toBeLessThan(0.63);
});

test("no more blocks are held than were asked for, however slow the reader is", async () => {
  let taken = 0;
  async function* source(): AsyncGenerator<Buffer> {
    while (taken < 50) yield Buffer.alloc(mebibyte, ++taken);
  }
  let given = 0;
  let most = 0;
  for await (const piece of gzipInParallel(source(), 3)) {
    await new Promise((resolve) => setImmediate(resolve));
    most = Math.max(most, taken - given);
    // Head and tail of the member are ten bytes each.
    if (piece.length > 10) given++;
  }
  expect(taken).toBe(50);
  expect(most).toBe(3);
});

test("the member fails as its source fails, and a reader that leaves ends the source", async () => {
  let isEnded = false;
  async function* failing(isFailing: boolean): AsyncGenerator<Buffer> {
    try {
      for (let block = 0; block < 4; block++) yield Buffer.alloc(mebibyte);
      if (isFailing) throw new Error("the disk is gone");
      yield Buffer.alloc(mebibyte);
    } finally {
      isEnded = true;
    }
  }
  await expect(buffer(gzipInParallel(failing(true), 2))).rejects.toThrow("the disk is gone");
  isEnded = false;
  let pieces = 0;
  for await (const _piece of gzipInParallel(failing(false), 2)) if (++pieces === 2) break;
  expect(isEnded).toBe(true);
});
