// Session tokens that carry the session itself, sealed with AES-256-GCM under the installation's key and bound to the access
// key id: a session costs no row, and any replica that has the key can verify it.
import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Random } from "../../lib/random.ts";
import type { SessionTag } from "../service.ts";

/** What a token says. Only whoever holds the key can have written it. */
export interface Session {
  readonly account: string;
  readonly arn: string;
  readonly userId: string;
  /** AROA… of the role; absent for sessions of root and users. */
  readonly roleUid?: string;
  /** AIDA… of the user whose session it is. */
  readonly userUid?: string;
  /** Of federated sessions, whose policies bear on them. */
  readonly sourceArn?: string;
  /** Documents that border the session. */
  readonly policies?: readonly string[];
  /** Managed policies that border it too, as they are when it is used. */
  readonly policyArns?: readonly string[];
  readonly tags?: readonly SessionTag[];
  readonly expiresAtMs: number;
  readonly secretAccessKey: string;
}

const version = 1;
const ivBytes = 12;
const tagBytes = 16;

/** `key` is 32 bytes. */
export function sealSession(key: Uint8Array, accessKeyId: string, session: Session, random: Random): string {
  const iv = random.bytes(ivBytes);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  cipher.setAAD(Buffer.from(accessKeyId, "utf8"));
  const sealed = [cipher.update(JSON.stringify(session), "utf8"), cipher.final()];
  return Buffer.concat([Buffer.of(version), iv, ...sealed, cipher.getAuthTag()]).toString("base64");
}

/** Undefined for a token that this key did not seal for this access key id. Never throws. */
export function openSession(key: Uint8Array, accessKeyId: string, token: string): Session | undefined {
  const bytes = Buffer.from(token, "base64");
  if (bytes.length <= 1 + ivBytes + tagBytes || bytes[0] !== version) return undefined;
  const iv = bytes.subarray(1, 1 + ivBytes);
  const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(accessKeyId, "utf8"));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  try {
    const text = Buffer.concat([decipher.update(bytes.subarray(1 + ivBytes, -tagBytes)), decipher.final()]);
    // The tag has proved that we wrote it.
    return JSON.parse(text.toString("utf8")) as Session;
  } catch {
    return undefined;
  }
}
