// `salvia docker-shim DOCKER REGISTRY -- ARGUMENTS…`: what the `docker` of `salvia exec` runs. Not for people.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildOf, mapDockerfile } from "../proxy/map-dockerfile.ts";
import { commandAt, mapImageNames } from "../proxy/map-image-names.ts";
import { follow } from "./follow.ts";

export async function dockerShim(args: readonly string[]): Promise<number> {
  const [docker = "docker", registry = "localhost:7243", , ...rest] = args;
  const copy = mappedDockerfile(rest, registry);
  const given = copy?.args ?? rest;
  try {
    return await follow(() => spawn(docker, mapImageNames(given, registry), { stdio: "inherit" }));
  } finally {
    if (copy) rmSync(copy.folder, { recursive: true, force: true });
  }
}

/** Of a build whose Dockerfile names images of ECR: the arguments that name a copy instead, and the copy's folder. */
function mappedDockerfile(
  args: readonly string[],
  registry: string,
): { readonly args: readonly string[]; readonly folder: string } | undefined {
  const at = commandAt(args);
  const build = buildOf(args, at);
  if (!build) return undefined;
  const text = readText(build.file ?? join(build.context, "Dockerfile"));
  const mapped = text === undefined ? undefined : mapDockerfile(text, registry);
  if (mapped === undefined || mapped === text) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "salvia-dockerfile-"));
  const file = join(folder, "Dockerfile");
  writeFileSync(file, mapped);
  return { args: [...build.others, "--file", file], folder };
}

/** Undefined: docker itself will say what is wrong with it. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
