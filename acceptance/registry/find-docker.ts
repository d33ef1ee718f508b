// Whether a container engine answers, and what a suite needs to reach it.
import { spawnSync } from "node:child_process";

const named = ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY"] as const;

/** What its suite finds in its environment; a string says why it cannot run here. */
export function findDocker(): Readonly<Record<string, string>> | string {
  const { status } = spawnSync("docker", ["version", "--format", "{{.Server.Version}}"], {
    stdio: "ignore",
    timeout: 20_000,
  });
  if (status !== 0) return "no Docker Engine answers on this machine";
  return Object.fromEntries(
    named.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
