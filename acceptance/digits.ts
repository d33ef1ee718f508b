// Digits for the Python suites, as two files that numpy reads: float32 pixels and uint8 labels.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadDigits } from "../examples/quickstart/digits.ts";

/** Writes digits.f32 (rows of 784) and digits.u8: 8,000 to train on and then 1,000 held out. Answers the folder. */
export function writeDigits(folder: string): string {
  const { train, heldOut } = loadDigits();
  const digits = [...train, ...heldOut];
  writeFileSync(join(folder, "digits.f32"), Buffer.concat(digits.map(({ pixels }) => Buffer.from(pixels.buffer))));
  writeFileSync(
    join(folder, "digits.u8"),
    Uint8Array.from(digits, ({ label }) => label),
  );
  return folder;
}
