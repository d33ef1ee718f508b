// One file of certificates for every client: those of the machine, Mozilla's, the user's own, and the local authority's.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { getCACertificates } from "node:tls";
import { errorCode } from "../lib/error-code.ts";

/** The variables that name a bundle; each client reads one of them. */
export const bundleVariables = [
  "AWS_CA_BUNDLE",
  "REQUESTS_CA_BUNDLE",
  "SSL_CERT_FILE",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "NODE_EXTRA_CA_CERTS",
  "PIP_CERT",
] as const;

const certificates = (text: string): string[] =>
  text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];

/** A file of certificates, or a folder of such files; a path that leads nowhere has none. */
function certificatesAt(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return certificates(readFileSync(path, "utf8"));
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .flatMap((entry) => certificatesAt(join(path, entry.name)));
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "EACCES") return [];
    throw error;
  }
}

/** PEM text. `variables`: the user's environment, whose bundles are included. */
export function trustBundle(authority: string, variables: Readonly<Record<string, string | undefined>>): string {
  const named = [...bundleVariables, "SSL_CERT_DIR"].flatMap((name) => variables[name]?.split(":") ?? []);
  const all = [
    authority,
    ...[...new Set(named)].filter(Boolean).flatMap(certificatesAt),
    ...getCACertificates("system"),
    ...getCACertificates("bundled"),
  ];
  const distinct = new Map(all.map((certificate) => [certificate.replace(/\s/g, ""), certificate.trim()]));
  return `${[...distinct.values()].join("\n")}\n`;
}
