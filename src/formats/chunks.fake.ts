// Byte streams for tests of streaming readers.
import { readFileSync } from "node:fs";

export async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export const textChunks = (text: string, size = 7): AsyncGenerator<Uint8Array> =>
  inChunks(new TextEncoder().encode(text), size);

/** A file of ../shared/data/fixtures; undefined where this checkout has none beside it. */
export function sharedFixture(name: string): Uint8Array | undefined {
  try {
    return readFileSync(new URL(`../../../shared/data/fixtures/${name}`, import.meta.url));
  } catch {
    return undefined;
  }
}
