import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { shapeOf } from "../compute/instance-types.ts";
import { givenDevices, lackOfDevices } from "./give-devices.ts";
import { machineDevices } from "./machine-devices.ts";

test("devices are counted by their drivers' names, and nothing else that is called like them", () => {
  const folder = mkdtempSync(join(tmpdir(), "salvia-dev-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ["nvidia10", "nvidia0", "nvidia2", "nvidiactl", "nvidia-uvm", "neuron1", "neuron0", "null"])
    writeFileSync(join(folder, name), "");
  mkdirSync(join(folder, "nvidia-caps"));
  expect(machineDevices(folder)).toEqual({ gpus: [0, 2, 10], neurons: [0, 1] });
  expect(machineDevices(join(folder, "none"))).toEqual({ gpus: [], neurons: [] });
});

const four = { gpus: [0, 1, 2, 3], neurons: [0, 1] };
const none = { gpus: [], neurons: [] };

test("a program gets as many devices as its instance type has, and all of them where the type is unknown", () => {
  expect(givenDevices(shapeOf("ml.p3.2xlarge"), four)).toEqual({ gpus: [0], neurons: [] });
  expect(givenDevices(shapeOf("ml.p3.16xlarge"), four)).toEqual({ gpus: [0, 1, 2, 3], neurons: [] });
  expect(givenDevices(shapeOf("ml.inf2.xlarge"), four)).toEqual({ gpus: [], neurons: [0] });
  expect(givenDevices(shapeOf("ml.m5.large"), four)).toEqual(none);
  expect(givenDevices(shapeOf("local"), four)).toEqual(four);
  expect(givenDevices(undefined, four)).toEqual(four);
});

test("what the machine lacks is said with both numbers, and nothing where it lacks nothing", () => {
  const gpus = lackOfDevices(shapeOf("ml.p3.8xlarge"), none);
  expect(gpus).toContain("ml.p3.8xlarge has 4 GPUs, this machine none: the job runs on the CPU.");
  const some = lackOfDevices(shapeOf("ml.p3.16xlarge"), four);
  expect(some).toContain("ml.p3.16xlarge has 8 GPUs, this machine 4: the job runs on what there is.");
  expect(lackOfDevices(shapeOf("ml.inf1.xlarge"), none)).toContain("has 1 AWS Neuron device, this machine none");
  expect(lackOfDevices(shapeOf("ml.p3.8xlarge"), four)).toBeUndefined();
  expect(lackOfDevices(shapeOf("ml.m5.large"), none)).toBeUndefined();
});
