// Signing keys of Signature Version 4, kept: one stands for a secret, a day, a region and a service.
import { createHmac, createSecretKey, type KeyObject } from "node:crypto";

export interface KeyScope {
  /** YYYYMMDD */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

const hmac = (key: string | Uint8Array, text: string): Buffer => createHmac("sha256", key).update(text).digest();

export class SigningKeys {
  readonly #maxKeys: number;
  readonly #keys = new Map<string, KeyObject>();

  constructor(maxKeys = 4_096) {
    this.#maxKeys = maxKeys;
  }

  keyFor(secretAccessKey: string, { date, region, service }: KeyScope): KeyObject {
    const name = `${date}/${region}/${service}/${secretAccessKey}`;
    const known = this.#keys.get(name);
    if (known) return known;
    const dateKey = hmac(`AWS4${secretAccessKey}`, date);
    // A key object: an HMAC over plain bytes makes one anew each time, which costs five times the HMAC itself.
    const key = createSecretKey(hmac(hmac(hmac(dateKey, region), service), "aws4_request"));
    if (this.#keys.size >= this.#maxKeys) this.#keys.clear();
    this.#keys.set(name, key);
    return key;
  }
}
