import { expect, test } from "vitest";
import { shapeOf } from "./instance-types.ts";

const gib = 1024 ** 3;

test.each([
  ["ml.m5.xlarge", 4, 16, 0, 0],
  ["ml.m5.large", 2, 8, 0, 0],
  ["ml.t3.medium", 2, 4, 0, 0],
  ["ml.c4.xlarge", 4, 7.5, 0, 0],
  ["ml.c5.2xlarge", 8, 16, 0, 0],
  ["ml.r5.4xlarge", 16, 128, 0, 0],
  ["ml.p3.2xlarge", 8, 61, 1, 0],
  ["ml.p3.16xlarge", 64, 488, 8, 0],
  ["ml.g4dn.xlarge", 4, 16, 1, 0],
  ["ml.g5.12xlarge", 48, 192, 4, 0],
  ["ml.inf1.6xlarge", 24, 48, 0, 4],
])("%s has %i cores, %d GiB, %i GPUs and %i Neuron devices", (type, cpus, memory, gpus, neuronDevices) => {
  expect(shapeOf(type)).toEqual({ instanceType: type, cpus, memoryBytes: memory * gib, gpus, neuronDevices });
});

test("a name that says nothing has what the machine has", () => {
  expect(shapeOf("local")).toEqual({ instanceType: "local", gpus: 0, neuronDevices: 0 });
});
