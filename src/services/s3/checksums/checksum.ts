// The checksums of S3 objects: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { ChecksumType } from "../../../models/generated/s3.ts";
import { combineCrc, crcKinds } from "./combine-crc.ts";
import { crc32c } from "../../../lib/crc32c.ts";
import { crc64Nvme, emptyCrc64 } from "./crc64-nvme.ts";

/** With the length of their digests. */
const digestBytes = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32, SHA512: 64, MD5: 16 } as const;

export type Algorithm = keyof typeof digestBytes;

export const algorithms: readonly Algorithm[] = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "MD5"];

export const isAlgorithm = (name: string): name is Algorithm => Object.hasOwn(digestBytes, name);

export interface StoredChecksum {
  readonly algorithm: Algorithm;
  readonly type: ChecksumType;
  /** Base64; of the parts' digests and with their number ("…-3") where the type is COMPOSITE. */
  readonly value: string;
}

/** Members of the answers that carry a checksum. */
export type ChecksumMembers = { [A in Algorithm as `Checksum${A}`]?: string } & { ChecksumType?: ChecksumType };

export interface RunningChecksum {
  update(bytes: Uint8Array): void;
  /** Big endian, as on the wire. */
  digest(): Buffer;
}

export function startChecksum(algorithm: Algorithm): RunningChecksum {
  switch (algorithm) {
    case "CRC32":
      return startCrc32(crc32);
    case "CRC32C":
      return startCrc32(crc32c);
    case "CRC64NVME":
      return startCrc64();
    case "SHA1":
    case "SHA256":
    case "SHA512":
    case "MD5": {
      const hash = createHash(algorithm.toLowerCase());
      return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
    }
  }
}

function startCrc32(next: (bytes: Uint8Array, before: number) => number): RunningChecksum {
  let crc = 0;
  return {
    update: (bytes) => {
      crc = next(bytes, crc);
    },
    digest: () => {
      const digest = Buffer.alloc(4);
      digest.writeUInt32BE(crc);
      return digest;
    },
  };
}

function startCrc64(): RunningChecksum {
  let crc = emptyCrc64;
  return {
    update: (bytes) => {
      crc = crc64Nvme(bytes, crc);
    },
    digest: () => {
      const digest = Buffer.alloc(8);
      digest.writeUInt32BE(crc.high, 0);
      digest.writeUInt32BE(crc.low, 4);
      return digest;
    },
  };
}

const canonicalBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export const isDigest = (algorithm: Algorithm, value: string): boolean =>
  canonicalBase64.test(value) && Buffer.from(value, "base64").length === digestBytes[algorithm];

export function checksumMembers(checksum: StoredChecksum | undefined): ChecksumMembers {
  if (!checksum) return {};
  const members: ChecksumMembers = { ChecksumType: checksum.type };
  members[`Checksum${checksum.algorithm}`] = checksum.value;
  return members;
}

/** Without the type, for members of lists of parts. */
export function partChecksumMembers(checksum: StoredChecksum | undefined): Omit<ChecksumMembers, "ChecksumType"> {
  const { ChecksumType: _, ...members } = checksumMembers(checksum);
  return members;
}

/** What S3 takes where CreateMultipartUpload names no type; undefined where the algorithm and type do not go together. */
export function checksumTypeFor(algorithm: Algorithm, asked: ChecksumType | undefined): ChecksumType | undefined {
  const canBeFull = Object.hasOwn(crcKinds, algorithm);
  if (algorithm === "CRC64NVME") return asked === "COMPOSITE" ? undefined : "FULL_OBJECT";
  if (asked === "FULL_OBJECT" && !canBeFull) return undefined;
  return asked ?? "COMPOSITE";
}

export interface PartDigest {
  readonly sizeBytes: number;
  /** Base64. */
  readonly value: string;
}

/** The checksum of an object made of these parts. */
export function combineChecksums(
  algorithm: Algorithm,
  type: ChecksumType,
  parts: readonly PartDigest[],
): StoredChecksum {
  if (type === "COMPOSITE") {
    const running = startChecksum(algorithm);
    for (const part of parts) running.update(Buffer.from(part.value, "base64"));
    return { algorithm, type, value: `${running.digest().toString("base64")}-${parts.length}` };
  }
  if (algorithm !== "CRC32" && algorithm !== "CRC32C" && algorithm !== "CRC64NVME") {
    throw new Error(`${algorithm} of parts says nothing about the whole`);
  }
  const kind = crcKinds[algorithm];
  const whole = parts.reduce(
    (crc, part) =>
      combineCrc(kind, crc, BigInt(`0x${Buffer.from(part.value, "base64").toString("hex")}`), part.sizeBytes),
    0n,
  );
  return {
    algorithm,
    type,
    value: Buffer.from(whole.toString(16).padStart(kind.bits / 4, "0"), "hex").toString("base64"),
  };
}
