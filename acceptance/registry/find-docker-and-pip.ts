// Whether a container engine answers, and with what this machine's pip and proxies are set up: builds inside containers need the same.
import { findDocker } from "./find-docker.ts";

const settings = ["PIP_CERT", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST"] as const;
const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"] as const;

/** What its suite finds in its environment; a string says why it cannot run here. */
export function findDockerAndPip(): Readonly<Record<string, string>> | string {
  const docker = findDocker();
  if (typeof docker === "string") return docker;
  const found = [...settings, ...proxies].flatMap((name) => {
    const value = process.env[name];
    return value === undefined || value === "" ? [] : [[name, value] as const];
  });
  return { ...docker, ...Object.fromEntries(found) };
}
