import { expect, test } from "vitest";
import { shapeOf } from "../../compute/instance-types.ts";
import { systemClock } from "../../lib/clock.ts";
import { connectToEngine } from "../../lib/docker-engine.ts";
import { silentLog } from "../../lib/log.ts";
import type { ImageProgram } from "../../task/task.ts";
import { StageError } from "../planned-path.ts";
import { ensureImage } from "./ensure-image.ts";

/** Nobody listens there: whoever passes the check of the devices meets EngineAwayError. */
const engine = connectToEngine("unix:///no/such/engine.sock");

async function problemOf(instanceType: string, devices: { gpus: readonly number[]; neurons: readonly number[] }) {
  const program: ImageProgram = {
    kind: "image",
    image: "own:1",
    localNames: ["own:1"],
    arguments: [],
    limits: shapeOf(instanceType),
  };
  const asked = ensureImage({
    engine,
    program,
    devices,
    spec: { purpose: "training" },
    clock: systemClock,
    log: silentLog,
    signal: new AbortController().signal,
    tell: () => undefined,
  });
  const error: unknown = await asked.catch((problem: unknown) => problem);
  return error instanceof StageError ? error.message : undefined;
}

const machine = { gpus: [0], neurons: [0, 1] };

test("a type with more devices than the machine has is refused, with both numbers", async () => {
  const four =
    "The instance type ml.p3.8xlarge has 4 GPUs; the machine that Salvia runs on has 1 that containers can use.";
  expect(await problemOf("ml.p3.8xlarge", machine)).toBe(four);
  const none = await problemOf("ml.p3.2xlarge", { gpus: [], neurons: [] });
  expect(none).toBe(
    "The instance type ml.p3.2xlarge has 1 GPU; the machine that Salvia runs on has none that containers can use.",
  );
  expect(await problemOf("ml.inf1.6xlarge", machine)).toContain(
    "has 4 AWS Neuron devices; the machine that Salvia runs on has 2 ",
  );
  expect(await problemOf("ml.inf1.xlarge", { gpus: [0], neurons: [] })).toContain("has 1 AWS Neuron device; ");
});

test("a type with no more devices than the machine has goes on to the engine", async () => {
  for (const type of ["ml.p3.2xlarge", "ml.inf1.xlarge", "ml.m5.large"])
    expect(await problemOf(type, machine)).toBeUndefined();
});
