// Identifiers for rows of bulk tables: small in an index, and exact as a JavaScript number.
import type { Random } from "./random.ts";

/** A random number of 52 bits; among a million of them, two are alike once in 9,000 installations. */
export function numberId(random: Random): number {
  const bytes = random.bytes(7);
  return (bytes.readUInt8(0) & 0x0f) * 2 ** 48 + bytes.readUIntBE(1, 6);
}
