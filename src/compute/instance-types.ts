// What SageMaker's instance types have, from their names: ml.<family>.<size> (sagemaker and ec2 instance type pages). Cores follow from
// the size, memory from the family's letter; accelerators are listed.
import type { InstanceShape } from "../task/task.ts";

const gibibyte = 1024 ** 3;

/** GiB of memory per core, by the family's first letter. */
const memoryPerCore: Readonly<Record<string, number>> = { c: 2, m: 4, t: 4, r: 8, x: 16, g: 4, p: 8, i: 4 };

/** Families whose memory is not what their letter says. */
const memoryOfFamily: Readonly<Record<string, number>> = {
  c4: 1.875,
  c5n: 2.625,
  m4: 4,
  p2: 15.25,
  p3: 7.625,
  p4d: 12,
  p5: 10.6,
  inf1: 2,
  trn1: 16,
};

/** Accelerators of a family, by size; "*" for every other. */
const gpus: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  p2: { xlarge: 1, "8xlarge": 8, "16xlarge": 16 },
  p3: { "2xlarge": 1, "8xlarge": 4, "16xlarge": 8 },
  p3dn: { "*": 8 },
  p4d: { "*": 8 },
  p4de: { "*": 8 },
  p5: { "4xlarge": 1, "*": 8 },
  p5e: { "*": 8 },
  p5en: { "*": 8 },
  g4dn: { "12xlarge": 4, "*": 1 },
  g5: { "12xlarge": 4, "24xlarge": 4, "48xlarge": 8, "*": 1 },
  g6: { "12xlarge": 4, "24xlarge": 4, "48xlarge": 8, "*": 1 },
  g6e: { "12xlarge": 4, "24xlarge": 4, "48xlarge": 8, "*": 1 },
};
const neuronDevices: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  inf1: { xlarge: 1, "2xlarge": 1, "6xlarge": 4, "24xlarge": 16 },
  inf2: { xlarge: 1, "8xlarge": 1, "24xlarge": 6, "48xlarge": 12 },
  trn1: { "2xlarge": 1, "32xlarge": 16 },
  trn1n: { "32xlarge": 16 },
  trn2: { "48xlarge": 16 },
};

function coresOf(size: string): number | undefined {
  if (size === "medium" || size === "large") return 2;
  if (size === "xlarge") return 4;
  const times = /^(\d+)xlarge$/.exec(size)?.[1];
  return times === undefined ? undefined : 4 * Number(times);
}

const countOf = (table: typeof gpus, family: string, size: string): number =>
  table[family]?.[size] ?? table[family]?.["*"] ?? 0;

/** Unknown names, e.g. "local", have what the machine has. */
export function shapeOf(instanceType: string): InstanceShape {
  const [, family = "", size = ""] = /^ml\.([a-z0-9-]+)\.([a-z0-9]+)$/.exec(instanceType) ?? [];
  const cpus = coresOf(size);
  const perCore = memoryOfFamily[family] ?? memoryPerCore[family[0] ?? ""];
  const memory = cpus === undefined || perCore === undefined ? undefined : Math.floor(cpus * perCore * gibibyte);
  return {
    instanceType,
    ...(cpus === undefined ? {} : { cpus }),
    ...(memory === undefined
      ? {}
      : { memoryBytes: size === "medium" && family.startsWith("t") ? 4 * gibibyte : memory }),
    gpus: countOf(gpus, family, size),
    neuronDevices: countOf(neuronDevices, family, size),
  };
}
