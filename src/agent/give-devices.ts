// Which of the machine's accelerators a program without a container gets, and what its user is told. Nothing is kept back from
// other tasks: two jobs with a GPU each share the first one.
import type { InstanceShape } from "../task/task.ts";
import type { MachineDevices } from "./machine-devices.ts";

/** As many as the instance type has, as far as the machine has them; all of them where the type is unknown. */
export function givenDevices(instance: InstanceShape | undefined, machine: MachineDevices): MachineDevices {
  if (instance?.cpus === undefined) return machine;
  return {
    gpus: machine.gpus.slice(0, instance.gpus),
    neurons: machine.neurons.slice(0, instance.neuronDevices),
  };
}

/** Undefined: it gets all that its type has. */
export function lackOfDevices(instance: InstanceShape | undefined, machine: MachineDevices): string | undefined {
  if (instance === undefined) return undefined;
  const { instanceType, gpus, neuronDevices } = instance;
  const lacks = [
    ...lack("GPU", gpus, machine.gpus.length),
    ...lack("AWS Neuron device", neuronDevices, machine.neurons.length),
  ];
  if (lacks.length === 0) return undefined;
  const given = givenDevices(instance, machine);
  const where = given.gpus.length + given.neurons.length === 0 ? "the CPU" : "what there is";
  return `[salvia] ${instanceType} has ${lacks.join(" and ")}: the job runs on ${where}. Salvia's own Python environments are builds for CPUs.`;
}

const lack = (what: string, wanted: number, found: number): readonly string[] =>
  wanted <= found ? [] : [`${wanted} ${what}${wanted === 1 ? "" : "s"}, this machine ${found || "none"}`];
