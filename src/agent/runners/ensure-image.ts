// The image of a task, in the engine: one that is there under one of its names, or pulled.
import type { Clock } from "../../lib/clock.ts";
import { EngineAwayError, engineHas, EngineRefusalError, type DockerEngine } from "../../lib/docker-engine.ts";
import type { Log } from "../../lib/log.ts";
import type { ImageProgram, ImagePull, InstanceShape, TaskSpec } from "../../task/task.ts";
import { StageError } from "../planned-path.ts";
import type { MachineDevices } from "../machine-devices.ts";
import type { EngineImage } from "./container-request.ts";
import { cannotPull } from "./container-problems.ts";

export interface ImageWish {
  readonly engine: DockerEngine;
  readonly program: ImageProgram;
  readonly spec: Pick<TaskSpec, "purpose" | "variant" | "multiModel">;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly tell: (message: string) => void;
  /** Of this machine. */
  readonly devices: MachineDevices;
}

const pullTries = 3;
const pullAgainMs = 1_000;
/** Of these another try says the same. */
const isFinalAnswer = (message: string): boolean =>
  /not found|denied|unauthorized|does not exist|unknown|invalid|no basic auth/i.test(message);

/** Throws StageError when there is no such image, or no such device, EngineAwayError when nobody answers. */
export async function ensureImage(wish: ImageWish): Promise<EngineImage> {
  const { engine, program, signal } = wish;
  checkDevices(program.limits, wish.devices);
  const machine = await engine.ask<{ NCPU: number; MemTotal: number }>({ method: "GET", path: "/info", signal });
  const about = { cpus: machine.NCPU, memoryBytes: machine.MemTotal };
  for (const name of program.localNames)
    if (await engineHas(engine, name, signal)) {
      await checkLabel(wish, name);
      return { name, ...about };
    }
  if (!program.pull) throw noImage(wish, "it is neither in Salvia's registry nor in the Docker Engine");
  await pull(wish, program.pull);
  await checkLabel(wish, program.pull.name);
  return { name: program.pull.name, ...about };
}

/** Missing accelerators are said, never left out. */
function checkDevices({ instanceType, ...shape }: InstanceShape, { gpus, neurons }: MachineDevices): void {
  const check = (what: string, wanted: number, found: number): void => {
    if (wanted <= found) return;
    throw new StageError(
      `The instance type ${instanceType} has ${wanted} ${what}${wanted === 1 ? "" : "s"}; the machine that Salvia runs on has ${found || "none"} that containers can use.`,
    );
  };
  check("GPU", shape.gpus, gpus.length);
  check("AWS Neuron device", shape.neuronDevices, neurons.length);
}

const multiModelLabel = "com.amazonaws.sagemaker.capabilities.multi-models";

/** An image that takes several models says so. The text is AWS's. */
async function checkLabel({ engine, signal, program, spec }: ImageWish, name: string): Promise<void> {
  if (spec.multiModel === undefined) return;
  const path = `/images/${encodeURI(name)}/json`;
  const { Config: config } = await engine.ask<LabelledImage>({ method: "GET", path, signal });
  if (config?.Labels?.[multiModelLabel] === "true") return;
  throw new StageError(
    `Your Ecr Image ${program.image} does not contain required ${multiModelLabel}=true Docker label(s).`,
  );
}

interface LabelledImage {
  readonly Config?: { readonly Labels?: Readonly<Record<string, string>> | null };
}

const downloading: Readonly<Record<TaskSpec["purpose"], string>> = {
  training: "Downloading the training image",
  processing: "Downloading the processing image",
  hosting: "Downloading the image of the model",
  transform: "Downloading the image of the model",
};

async function pull(wish: ImageWish, { name, credential }: ImagePull): Promise<void> {
  const { clock, log, signal, tell } = wish;
  tell(downloading[wish.spec.purpose]);
  for (let tries = 1; ; tries++) {
    try {
      await pullOnce(wish, name, credential);
      return;
    } catch (error) {
      if (error instanceof EngineAwayError || signal.aborted) throw error;
      const message = error instanceof Error ? error.message : String(error);
      log.warn("the image cannot be pulled", { name, message });
      if (tries === pullTries || isFinalAnswer(message)) throw noImage(wish, message);
    }
    await clock.sleep(pullAgainMs, signal);
  }
}

async function pullOnce({ engine, signal }: ImageWish, name: string, credential: ImagePull["credential"]) {
  const auth = credential && {
    username: credential.username,
    password: credential.password,
    serveraddress: credential.server,
  };
  const answer = await engine.stream({
    method: "POST",
    // Without a tag all of them would come.
    path: `/images/create?fromImage=${encodeURIComponent(withTag(name))}`,
    headers: auth ? { "x-registry-auth": paddedBase64Url(JSON.stringify(auth)) } : {},
    signal,
    timeoutMs: 0,
  });
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  // One JSON object per line; a failure comes as one of them.
  for (const line of Buffer.concat(parts).toString("utf8").split("\n")) {
    const { error } = line.trim() === "" ? {} : (JSON.parse(line) as { error?: string });
    if (error !== undefined) throw new EngineRefusalError(500, error);
  }
}

/** As the engine decodes it: it ignores what comes without the padding. */
const paddedBase64Url = (text: string): string =>
  Buffer.from(text).toString("base64").replaceAll("+", "-").replaceAll("/", "_");

const withTag = (name: string): string => (name.includes("@") || /:[^/]+$/.test(name) ? name : `${name}:latest`);

const noImage = ({ spec, program }: ImageWish, detail: string): StageError =>
  new StageError(cannotPull({ ...spec, program }, detail));
