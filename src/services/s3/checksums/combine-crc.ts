// The CRC of two byte strings one after the other from the CRCs of each: zlib's crc32_combine for any width.
// A reflected CRC is a polynomial over GF(2) whose highest bit is x^0, so appending n zero bytes multiplies by x^(8n).

export interface CrcKind {
  readonly bits: number;
  /** Reflected. */
  readonly polynomial: bigint;
}

export const crcKinds = {
  CRC32: { bits: 32, polynomial: 0xedb88320n },
  CRC32C: { bits: 32, polynomial: 0x82f63b78n },
  CRC64NVME: { bits: 64, polynomial: 0x9a6c9329ac4bc9b5n },
} as const satisfies Readonly<Record<string, CrcKind>>;

function multiply(a: bigint, b: bigint, { bits, polynomial }: CrcKind): bigint {
  let product = 0n;
  let shifted = b;
  for (let bit = BigInt(bits - 1); bit >= 0n; bit--) {
    if ((a >> bit) & 1n) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n;
  }
  return product;
}

function powerOfX(exponent: bigint, kind: CrcKind): bigint {
  const one = 1n << BigInt(kind.bits - 1);
  let power = one;
  let square = one >> 1n;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) power = multiply(power, square, kind);
    square = multiply(square, square, kind);
  }
  return power;
}

/** `secondBytes` is the length of the second string. */
export function combineCrc(kind: CrcKind, first: bigint, second: bigint, secondBytes: number): bigint {
  return multiply(powerOfX(8n * BigInt(secondBytes), kind), first, kind) ^ second;
}
