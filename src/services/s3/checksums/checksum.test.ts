import * as fc from "fast-check";
import { expect, test } from "vitest";
import { algorithms, checksumTypeFor, combineChecksums, isDigest, startChecksum, type Algorithm } from "./checksum.ts";

const hexOf = (algorithm: Algorithm, ...chunks: readonly Uint8Array[]): string => {
  const running = startChecksum(algorithm);
  for (const chunk of chunks) running.update(chunk);
  return running.digest().toString("hex");
};
const base64Of = (algorithm: Algorithm, bytes: Uint8Array): string =>
  Buffer.from(hexOf(algorithm, bytes), "hex").toString("base64");

test.each([
  // The "check" values of the catalogue at https://reveng.sourceforge.io/crc-catalogue/
  ["CRC32", "cbf43926"],
  ["CRC32C", "e3069283"],
  ["CRC64NVME", "ae8b14860a799888"],
  ["MD5", "25f9e794323b453885f5181f1b624d0b"],
  ["SHA1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"],
  ["SHA256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"],
] as const)("%s of 123456789 is the published value", (algorithm, expected) => {
  expect(hexOf(algorithm, Buffer.from("123456789"))).toBe(expected);
});

test("a CRC does not depend on how its bytes are cut into chunks", () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Algorithm>("CRC32", "CRC32C", "CRC64NVME"),
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
      (algorithm, chunks) => {
        expect(hexOf(algorithm, ...chunks)).toBe(hexOf(algorithm, Buffer.concat(chunks)));
      },
    ),
  );
});

test("the CRC of a whole follows from those of its parts", () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Algorithm>("CRC32", "CRC32C", "CRC64NVME"),
      fc.array(fc.uint8Array({ maxLength: 100 }), { minLength: 1, maxLength: 5 }),
      (algorithm, parts) => {
        const digests = parts.map((part) => ({ sizeBytes: part.length, value: base64Of(algorithm, part) }));
        expect(combineChecksums(algorithm, "FULL_OBJECT", digests)).toEqual({
          algorithm,
          type: "FULL_OBJECT",
          value: base64Of(algorithm, Buffer.concat(parts)),
        });
      },
    ),
  );
});

test("a composite checksum is the checksum of the parts' digests with their number", () => {
  const parts = [Buffer.from("one"), Buffer.from("two")];
  const digests = parts.map((part) => Buffer.from(hexOf("SHA256", part), "hex"));
  expect(
    combineChecksums(
      "SHA256",
      "COMPOSITE",
      digests.map((digest) => ({ sizeBytes: 3, value: digest.toString("base64") })),
    ).value,
  ).toBe(`${base64Of("SHA256", Buffer.concat(digests))}-2`);
});

test("only base64 of the right length is a digest", () => {
  for (const algorithm of algorithms) expect(isDigest(algorithm, base64Of(algorithm, Buffer.from("x")))).toBe(true);
  expect(isDigest("CRC32", "bad")).toBe(false);
  expect(isDigest("CRC32", base64Of("SHA1", Buffer.from("x")))).toBe(false);
});

test("CRC64NVME is of the full object only, SHA of parts only, the other CRCs of either", () => {
  expect(checksumTypeFor("CRC64NVME", undefined)).toBe("FULL_OBJECT");
  expect(checksumTypeFor("CRC64NVME", "COMPOSITE")).toBeUndefined();
  expect(checksumTypeFor("SHA256", "FULL_OBJECT")).toBeUndefined();
  expect(checksumTypeFor("CRC32", undefined)).toBe("COMPOSITE");
  expect(checksumTypeFor("CRC32", "FULL_OBJECT")).toBe("FULL_OBJECT");
});
