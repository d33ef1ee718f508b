// The local authority: a key and certificate made once per data folder, and certificates for single hosts, made when asked for.
// Its name constraints (RFC 5280 4.2.1.10) bind it to AWS's domains: were the key stolen, it would open nothing else.
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate, type KeyObject } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";
import type { Clock } from "../lib/clock.ts";
import { errorCode } from "../lib/error-code.ts";
import type { Random } from "../lib/random.ts";
import { awsDomains } from "./aws-hosts.ts";
import {
  hostName,
  isAuthority,
  isLeaf,
  issuersKey,
  maySign,
  mayServe,
  onlyBelow,
  ownKey,
  signCertificate,
} from "./certificate.ts";

export interface Authority {
  /** PEM; what clients must trust. */
  readonly certificate: string;
  /** Presents a certificate for that host alone; made once per host and kept. */
  contextFor(host: string): SecureContext;
}

const dayMs = 86_400_000;
const authorityDays = 3_650;
/** Clients refuse leaves that are valid for longer than 398 days. */
const leafDays = 397;

interface Pair {
  readonly key: KeyObject;
  readonly certificate: string;
}

/** Positive, as the RFC asks. */
const serial = (random: Random): Buffer => Buffer.concat([Buffer.from([0x5a]), random.bytes(15)]);

const newKeys = () => generateKeyPairSync("ec", { namedCurve: "P-256" });

const pemOf = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }).toString();

function makeAuthority(clock: Clock, random: Random): string {
  const { publicKey, privateKey } = newKeys();
  const now = clock.now().getTime();
  // A name of its own: clients that saw the authority of another folder tell them apart.
  const name = `Salvia local authority ${random.bytes(3).toString("hex")}`;
  const certificate = signCertificate({
    serial: serial(random),
    subject: name,
    issuer: name,
    notBefore: new Date(now - dayMs),
    notAfter: new Date(now + authorityDays * dayMs),
    publicKey,
    signingKey: privateKey,
    extensions: [isAuthority(), maySign(), onlyBelow(awsDomains), ownKey(publicKey)],
  });
  return `${pemOf(privateKey)}${certificate}`;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function parsePair(text: string): Pair {
  const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(text)?.[0];
  if (certificate === undefined) throw new Error("the file of the local authority is damaged");
  return { key: createPrivateKey(text), certificate: `${certificate}\n` };
}

/** Several may start on a folder at once: the first to link its file wins, and all use that. */
function pairIn(folder: string, clock: Clock, random: Random): Pair {
  const path = join(folder, "authority.pem");
  const known = readText(path);
  if (known !== undefined) {
    const pair = parsePair(known);
    const endsMs = new X509Certificate(pair.certificate).validToDate.getTime();
    if (endsMs > clock.now().getTime() + 2 * leafDays * dayMs) return pair;
    rmSync(path, { force: true });
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const fresh = `${path}.${random.uuid()}`;
  writeFileSync(fresh, makeAuthority(clock, random), { mode: 0o600, flag: "wx" });
  try {
    linkSync(fresh, path);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  } finally {
    rmSync(fresh);
  }
  return parsePair(readFileSync(path, "utf8"));
}

/** Reads `folder`/authority.pem (key and certificate, mode 0600), or makes it. Throws where the file is damaged. */
export function openAuthority(folder: string, clock: Clock, random: Random): Authority {
  const { key, certificate } = pairIn(folder, clock, random);
  const issuer = new X509Certificate(certificate).subject.replace(/^CN=/, "");
  const leafKeys = newKeys();
  const makeContext = (host: string): SecureContext => {
    const now = clock.now().getTime();
    const leaf = signCertificate({
      serial: serial(random),
      // Names longer than 64 characters fit into no common name; clients look at the alternative names alone.
      subject: "Salvia",
      issuer,
      notBefore: new Date(now - dayMs),
      notAfter: new Date(now + leafDays * dayMs),
      publicKey: leafKeys.publicKey,
      signingKey: key,
      extensions: [
        isLeaf(),
        ...mayServe(),
        hostName(host),
        ownKey(leafKeys.publicKey),
        issuersKey(createPublicKey(key)),
      ],
    });
    return createSecureContext({ key: pemOf(leafKeys.privateKey), cert: `${leaf}${certificate}` });
  };
  const contexts = new Map<string, SecureContext>();
  return {
    certificate,
    contextFor: (host) => {
      const known = contexts.get(host);
      if (known) return known;
      // A client that walks through bucket names must not fill the memory.
      if (contexts.size >= 1_000) contexts.clear();
      const made = makeContext(host);
      contexts.set(host, made);
      return made;
    },
  };
}
