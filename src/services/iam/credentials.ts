// The forms of identifiers and secrets: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
import type { Random } from "../../lib/random.ts";

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Temporary credentials of a session, as STS hands them out. */
export interface SessionCredentials extends AccessKey {
  readonly sessionToken: string;
  readonly expiration: Date;
  /** arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION; of a session without a role, the principal's own. */
  readonly arn: string;
  /** aws:userid, e.g. AROA…:SESSION */
  readonly userId: string;
}

const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Of keys, sessions' keys, roles, users, groups, managed policies and instance profiles. */
type Prefix = "AKIA" | "ASIA" | "AROA" | "AIDA" | "AGPA" | "ANPA" | "AIPA";

export const uniqueId = (random: Random, prefix: Prefix, length: number): string =>
  prefix + Array.from(random.bytes(length - prefix.length), (byte) => base32[byte & 31]).join("");

const newSecret = (random: Random): string => random.bytes(30).toString("base64");

export const newAccessKey = (random: Random, prefix: "AKIA" | "ASIA"): AccessKey => ({
  accessKeyId: uniqueId(random, prefix, 20),
  secretAccessKey: newSecret(random),
});
