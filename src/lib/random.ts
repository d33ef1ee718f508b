// Chance. The only file that may touch Math.random and randomUUID.
import { randomBytes, randomUUID } from "node:crypto";

/** The only door to chance, for identifiers and secrets. Numeric work seeds its own generator. */
export interface Random {
  /** A version 4 UUID. */
  uuid(): string;
  bytes(count: number): Buffer;
  /** Uniform in [0, 1). */
  fraction(): number;
}

export const systemRandom: Random = {
  uuid: () => randomUUID(),
  bytes: (count) => randomBytes(count),
  fraction: () => Math.random(),
};

/**
 * A version 7 UUID (RFC 9562): the instant in its first 48 bits, so that rows made one after the other lie side by side in
 * an index. Not a secret.
 */
export function timeOrderedUuid(random: Random, nowMs: number): string {
  const time = nowMs.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.uuid().slice(15)}`;
}

/** xorshift128+ with a fixed seed: the same identifiers on every run of a test. */
export function seededRandom(seed: number): Random {
  let a = BigInt(seed) * 0x9e3779b97f4a7c15n + 1n;
  let b = (a ^ 0xbf58476d1ce4e5b9n) & 0xffffffffffffffffn;
  a &= 0xffffffffffffffffn;
  const next = (): bigint => {
    let s1 = a;
    const s0 = b;
    a = s0;
    s1 = (s1 ^ (s1 << 23n)) & 0xffffffffffffffffn;
    b = (s1 ^ s0 ^ (s1 >> 18n) ^ (s0 >> 5n)) & 0xffffffffffffffffn;
    return (b + s0) & 0xffffffffffffffffn;
  };
  const bytes = (count: number): Buffer => {
    const out = Buffer.alloc(count);
    for (let at = 0; at < count; at++) out[at] = Number(next() & 0xffn);
    return out;
  };
  return {
    bytes,
    fraction: () => Number(next() >> 11n) / 2 ** 53,
    uuid: () => {
      const raw = bytes(16);
      raw[6] = (raw[6]! & 0x0f) | 0x40;
      raw[8] = (raw[8]! & 0x3f) | 0x80;
      return raw.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    },
  };
}
