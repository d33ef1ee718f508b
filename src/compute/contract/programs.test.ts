// Both backends that run programs, the process backend in both of its ways.
import { spawnSync } from "node:child_process";
import { onTestFinished } from "vitest";
import { setUpTask } from "../../agent/task-bench.fake.ts";
import { silentLog } from "../../lib/log.ts";
import { probeNamespaces } from "../../lib/probe-namespaces.ts";
import { createDockerBackend, installationOf } from "../docker/docker-backend.ts";
import { askFiles } from "./files.contract.ts";
import { askPrograms } from "./program.contract.ts";
import type { Subject } from "./subject.fake.ts";

const image = "salvia-test/python:3";
const docker = (...words: string[]): string =>
  spawnSync("docker", words, { encoding: "utf8", timeout: 60_000 }).stdout?.trim() ?? "";
const hasImage = docker("image", "inspect", "--format", "{{.Id}}", image).startsWith("sha256:");
const walls = probeNamespaces();

const subjects: readonly Subject[] = [
  {
    name: "processes",
    promises: new Set(),
    setUp: () => setUpTask({ usesNamespaces: false }),
    program: (argv) => ({ kind: "command", argv }),
  },
  {
    name: "processes in namespaces",
    absent: walls.works ? undefined : walls.reason,
    promises: new Set(["own-files", "read-only-inputs", "names"]),
    setUp: () => setUpTask({ usesNamespaces: true }),
    program: (argv) => ({ kind: "command", argv }),
  },
  {
    name: "containers",
    absent: hasImage ? undefined : `no Docker Engine answers here, or it lacks ${image}`,
    promises: new Set(["own-files", "read-only-inputs", "names", "memory"]),
    setUp: async () => {
      const bench = await setUpTask({
        wrap: (agents, dataFolder) =>
          createDockerBackend({ agents, dataFolder, engineAddress: undefined, log: silentLog }),
      });
      onTestFinished(() => {
        const label = `label=io.salvia.installation=${installationOf(bench.folder)}`;
        for (const id of docker("network", "ls", "-q", "--filter", label).split("\n"))
          if (id !== "") docker("network", "rm", id);
      });
      return bench;
    },
    program: ([first, ...rest], memoryBytes) => ({
      kind: "image",
      image,
      localNames: [image],
      entrypoint: [first],
      arguments: rest,
      limits: { instanceType: "ml.m5.large", cpus: 1, memoryBytes, gpus: 0, neuronDevices: 0 },
    }),
  },
];

for (const subject of subjects) {
  askPrograms(subject);
  askFiles(subject);
}
