// X.509 version 3 certificates over P-256 (RFC 5280, RFC 5758), written as DER: what the local authority signs and no more.
import { createHash, sign, type KeyObject } from "node:crypto";

export interface CertificateFields {
  /** At most 20 bytes; the first below 0x80 and above 0. */
  readonly serial: Uint8Array;
  readonly subject: string;
  readonly issuer: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  /** Of the issuer. */
  readonly signingKey: KeyObject;
  readonly extensions: readonly Uint8Array[];
}

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const octets = (...parts: readonly Uint8Array[]): Buffer => der(0x04, ...parts);
const yes = der(0x01, Buffer.from([0xff]));

/** Object identifiers, already encoded. */
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, "hex"));
const commonName = oid("550403");
const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"));

const nameOf = (text: string): Buffer =>
  sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from(text, "utf8")))));

/** YYYYMMDDHHMMSSZ; two digits of the year before 2050, as the RFC asks. */
function timeOf(at: Date): Buffer {
  const digits = at
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[-:T]/g, "");
  return at.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

const extension = (hex: string, isCritical: boolean, value: Uint8Array): Buffer =>
  sequence(oid(hex), ...(isCritical ? [yes] : []), octets(value));

/** SHA-1 of the key's bits: the RFC's first way to name a key. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  // An uncompressed P-256 point is the last 65 bytes of its SubjectPublicKeyInfo.
  const point = publicKey.export({ type: "spki", format: "der" }).subarray(-65);
  return createHash("sha1").update(point).digest();
}

/** An authority that signs leaves and no further authorities. */
export const isAuthority = (): Buffer => extension("551d13", true, sequence(yes, der(0x02, Buffer.from([0]))));
export const isLeaf = (): Buffer => extension("551d13", true, sequence());
/** keyCertSign */
export const maySign = (): Buffer => extension("551d0f", true, der(0x03, Buffer.from([2, 0x04])));
/** digitalSignature, for TLS servers */
export const mayServe = (): readonly Buffer[] => [
  extension("551d0f", true, der(0x03, Buffer.from([7, 0x80]))),
  extension("551d25", false, sequence(oid("2b06010505070301"))),
];
export const ownKey = (key: KeyObject): Buffer => extension("551d0e", false, octets(keyIdentifier(key)));
export const issuersKey = (key: KeyObject): Buffer =>
  extension("551d23", false, sequence(der(0x80, keyIdentifier(key))));
export const hostName = (host: string): Buffer =>
  extension("551d11", false, sequence(der(0x82, Buffer.from(host, "ascii"))));

/** Permits the domains and what is below them; excludes every IP address, since a list of names says nothing of addresses. */
export function onlyBelow(domains: readonly string[]): Buffer {
  const subtree = (tag: number, value: Uint8Array): Buffer => sequence(der(tag, value));
  const permitted = der(0xa0, ...domains.map((domain) => subtree(0x82, Buffer.from(domain, "ascii"))));
  const excluded = der(0xa1, subtree(0x87, Buffer.alloc(8)), subtree(0x87, Buffer.alloc(32)));
  return extension("551d1e", true, sequence(permitted, excluded));
}

/** PEM. */
export function signCertificate(fields: CertificateFields): string {
  const { serial, subject, issuer, notBefore, notAfter, publicKey, signingKey, extensions } = fields;
  const toSign = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(timeOf(notBefore), timeOf(notAfter)),
    nameOf(subject),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign("sha256", toSign, signingKey);
  const lines = sequence(toSign, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature))
    .toString("base64")
    .match(/.{1,64}/g);
  return `-----BEGIN CERTIFICATE-----\n${(lines ?? []).join("\n")}\n-----END CERTIFICATE-----\n`;
}
