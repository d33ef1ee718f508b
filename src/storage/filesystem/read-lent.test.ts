import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readLent } from "./read-lent.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "salvia-read-lent-"));
});
afterAll(() => rm(folder, { recursive: true }));

const content = Buffer.from(Array.from({ length: 1_300_001 }, (_, at) => at % 251));

async function opened(): Promise<Awaited<ReturnType<typeof open>>> {
  const path = join(folder, "file");
  await writeFile(path, content);
  return open(path, "r");
}

async function copied(range?: { readonly start: number; readonly end: number }): Promise<Buffer> {
  const file = await opened();
  const chunks: Buffer[] = [];
  for await (const chunk of readLent(file, range, () => void file.close())) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

test("a file comes whole, through buffers that are used again", async () => {
  expect((await copied()).equals(content)).toBe(true);
});

test.each([
  [0, 0],
  [524_287, 524_288],
  [700_000, 1_300_000],
  [1, 1_299_999],
])("bytes %d to %d come alone", async (start, end) => {
  expect((await copied({ start, end })).equals(content.subarray(start, end + 1))).toBe(true);
});

test("a chunk is good until the next one arrives, and its memory goes with the end", async () => {
  const file = await opened();
  const chunks = readLent(file, undefined, () => void file.close());
  const first = (await chunks.next()).value!;
  expect(Buffer.from(first).equals(content.subarray(0, first.byteLength))).toBe(true);
  await chunks.return(undefined);
  expect(first.byteLength).toBe(0);
});

test("whoever leaves early closes the file", async () => {
  const file = await opened();
  for await (const chunk of readLent(file, undefined, () => void file.close())) {
    expect(chunk.byteLength).toBeGreaterThan(0);
    break;
  }
  await expect(file.stat()).rejects.toThrow(/closed|EBADF/);
});
