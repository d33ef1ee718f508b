// Where the instances of a job reach each other: a /24 of its own inside 127.0.0.0/8, so that jobs may use the same ports.
import { createHash } from "node:crypto";

/** As many as the last byte of an address has room for, with some left over. */
export const maxInstances = 250;

export const hostName = (instance: number): string => `algo-${instance}`;

/** `algo-1` → `127.a.b.1`, the same for a job whenever it is asked; 127.0.x.x is left to the system. */
export function jobAddresses(uid: string, instances: number): Readonly<Record<string, string>> {
  const [first = 0, second = 0] = createHash("sha256").update(uid).digest();
  const network = `127.${1 + (first % 254)}.${second}`;
  return Object.fromEntries(Array.from({ length: instances }, (_, at) => [hostName(at + 1), `${network}.${at + 1}`]));
}
