// Sealed tokens: the password of `docker login`, and the address of one layer. They carry what they allow, so that they cost no row
// and any replica that has the installation's key can read them. AES-256-GCM, as the session tokens of IAM.
import { createCipheriv, createDecipheriv } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Clock } from "../../../lib/clock.ts";
import type { Random } from "../../../lib/random.ts";
import type { Caller } from "../../service.ts";
import type { Registry } from "./image-name.ts";

export interface Login extends Registry {
  readonly caller: Caller;
}

export interface LayerTicket {
  readonly repositoryUid: string;
  readonly digest: string;
}

export const loginSeconds = 12 * 3_600;
export const layerTicketSeconds = 3_600;

const ivBytes = 12;
const tagBytes = 16;
/** Docker sends its password in a header of at most 32 KiB. */
const mostBytes = 256 * 1_024;

type Kind = "login" | "layer";

export class Tickets {
  readonly #key: Uint8Array;
  readonly #clock: Clock;
  readonly #random: Random;

  /** `key` is 32 bytes. */
  constructor(key: Uint8Array, { clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#key = key;
    this.#clock = clock;
    this.#random = random;
  }

  sealLogin(login: Login): { readonly password: string; readonly expiresAt: Date } {
    const expiresAt = this.#in(loginSeconds);
    return { password: this.#seal("login", login, expiresAt), expiresAt };
  }

  sealLayer(ticket: LayerTicket): string {
    return this.#seal("layer", ticket, this.#in(layerTicketSeconds));
  }

  openLogin(password: string): Login | "expired" | undefined {
    return this.#open("login", password) as Login | "expired" | undefined;
  }

  openLayer(token: string): LayerTicket | "expired" | undefined {
    return this.#open("layer", token) as LayerTicket | "expired" | undefined;
  }

  #in(seconds: number): Date {
    return new Date(Math.floor(this.#clock.now().getTime() / 1_000 + seconds) * 1_000);
  }

  #seal(kind: Kind, content: object, expiresAt: Date): string {
    const iv = this.#random.bytes(ivBytes);
    const cipher = createCipheriv("aes-256-gcm", this.#key, iv);
    cipher.setAAD(Buffer.from(kind));
    const text = JSON.stringify({ content, expiresAtMs: expiresAt.getTime() });
    const sealed = [cipher.update(deflateRawSync(text)), cipher.final()];
    return Buffer.concat([iv, ...sealed, cipher.getAuthTag()]).toString("base64url");
  }

  #open(kind: Kind, token: string): unknown {
    const bytes = Buffer.from(token, "base64url");
    if (bytes.length <= ivBytes + tagBytes) return undefined;
    const decipher = createDecipheriv("aes-256-gcm", this.#key, bytes.subarray(0, ivBytes), {
      authTagLength: tagBytes,
    });
    decipher.setAAD(Buffer.from(kind));
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    try {
      const packed = Buffer.concat([decipher.update(bytes.subarray(ivBytes, -tagBytes)), decipher.final()]);
      const text = inflateRawSync(packed, { maxOutputLength: mostBytes }).toString("utf8");
      // The tag has proved that we wrote it.
      const { content, expiresAtMs } = JSON.parse(text) as { readonly content: unknown; readonly expiresAtMs: number };
      return expiresAtMs <= this.#clock.now().getTime() ? "expired" : content;
    } catch {
      return undefined;
    }
  }
}
