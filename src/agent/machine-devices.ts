// Accelerators of this machine, as their drivers show them below /dev.
import { existsSync, readdirSync } from "node:fs";

export interface MachineDevices {
  /** Numbers of its NVIDIA GPUs. */
  readonly gpus: readonly number[];
  /** Of its AWS Neuron devices. */
  readonly neurons: readonly number[];
}

const numbersOf = (names: readonly string[], prefix: string): readonly number[] =>
  names
    .flatMap((name) => new RegExp(`^${prefix}(\\d+)$`).exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b);

export function machineDevices(folder = "/dev"): MachineDevices {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return { gpus: numbersOf(names, "nvidia"), neurons: numbersOf(names, "neuron") };
}
