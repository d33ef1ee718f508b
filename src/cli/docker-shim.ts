// `salvia docker-shim DOCKER REGISTRY -- ARGUMENTS…`: what the `docker` of `salvia exec` runs. Not for people.
import { spawn } from "node:child_process";
import { mapImageNames } from "../proxy/map-image-names.ts";
import { follow } from "./follow.ts";

export async function dockerShim(args: readonly string[]): Promise<number> {
  const [docker = "docker", registry = "localhost:7243", , ...rest] = args;
  return follow(spawn(docker, mapImageNames(rest, registry), { stdio: "inherit" }));
}
