// Signing keys of Signature Version 4, kept: one stands for a secret, a day, a region and a service.
import { createHmac, hash } from "node:crypto";

export interface KeyScope {
  /** YYYYMMDD */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

const blockBytes = 64;

/** HMAC-SHA-256 (RFC 2104) under one key, by one-shot hashes: an Hmac object per request costs several times the hashing. */
export class HmacKey {
  readonly #inner = Buffer.alloc(blockBytes, 0x36);
  readonly #outer = Buffer.alloc(blockBytes + 32, 0x5c);

  /** `key` has at most 64 bytes. */
  constructor(key: Uint8Array) {
    for (const [at, byte] of key.entries()) {
      this.#inner[at] = byte ^ 0x36;
      this.#outer[at] = byte ^ 0x5c;
    }
  }

  /** In lower-case hex. */
  sign(text: string): string {
    const message = Buffer.allocUnsafe(blockBytes + Buffer.byteLength(text));
    this.#inner.copy(message);
    message.write(text, blockBytes, "utf8");
    hash("sha256", message, "buffer").copy(this.#outer, blockBytes);
    return hash("sha256", this.#outer, "hex");
  }
}

const hmac = (key: string | Uint8Array, text: string): Buffer => createHmac("sha256", key).update(text).digest();

export class SigningKeys {
  readonly #maxKeys: number;
  readonly #keys = new Map<string, HmacKey>();

  constructor(maxKeys = 4_096) {
    this.#maxKeys = maxKeys;
  }

  keyFor(secretAccessKey: string, { date, region, service }: KeyScope): HmacKey {
    const name = `${date}/${region}/${service}/${secretAccessKey}`;
    const known = this.#keys.get(name);
    if (known) return known;
    const dateKey = hmac(`AWS4${secretAccessKey}`, date);
    const key = new HmacKey(hmac(hmac(hmac(dateKey, region), service), "aws4_request"));
    if (this.#keys.size >= this.#maxKeys) this.#keys.clear();
    this.#keys.set(name, key);
    return key;
  }
}
